// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target without libFuzzer, in every test run: each file of a corpus directory as it
// is, then a fixed number of seeded mutations of them, always the same.
//
//   NAME_replay CORPUS_DIRECTORY
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.h"

namespace {

constexpr int kMutations = 20000;
constexpr std::size_t kLongest = 4096;

std::vector<std::string> read_corpus(const char* directory) {
  std::vector<std::string> names, inputs;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path());
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    std::ifstream file(name, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string input = any();
    for (std::size_t n = below(4) + 1; n > 0; --n) mutate(input);
    input.resize(std::min(input.size(), kLongest));
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  const std::string& any() { return corpus_[below(corpus_.size())]; }

  void mutate(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    const std::string& other = any();
    switch (below(5)) {
      case 0:
        input.insert(at, 1, static_cast<char>(random_()));
        break;
      case 1:
        input.erase(at, below(8));
        break;
      case 2:
        input.insert(at, other.substr(below(other.size() + 1), below(16)));
        break;
      case 3:
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      default:
        if (at < input.size()) input[at] = static_cast<char>(random_());
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_{20240614};
};

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto corpus = argc == 2 ? read_corpus(argv[1]) : std::vector<std::string>();
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY (with files)\n", argv[0]);
    return 2;
  }
  for (const std::string& input : corpus) run(input);
  Mutator mutator(corpus);
  for (int i = 0; i < kMutations; ++i) run(mutator.next());
  std::printf("%zu files and %d mutations\n", corpus.size(), kMutations);
}
