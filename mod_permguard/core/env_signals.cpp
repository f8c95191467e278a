// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "core/env_words.h"

namespace permguard {
namespace {

struct SignalName {
  std::string_view name;
  int number;
};

/// The names gnulib's str2sig() knows on Linux; EXIT, its 0, is refused by env.
constexpr std::array<SignalName, 34> kSignals = {{
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGABRT},  {"BUS", SIGBUS},
    {"FPE", SIGFPE},       {"KILL", SIGKILL},   {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},
    {"USR2", SIGUSR2},     {"PIPE", SIGPIPE},   {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"CHLD", SIGCHLD},     {"CLD", SIGCHLD},    {"CONT", SIGCONT}, {"STOP", SIGSTOP},
    {"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},   {"TTOU", SIGTTOU}, {"URG", SIGURG},
    {"XCPU", SIGXCPU},     {"XFSZ", SIGXFSZ},   {"PROF", SIGPROF}, {"VTALRM", SIGVTALRM},
    {"IO", SIGIO},         {"WINCH", SIGWINCH}, {"POLL", SIGIO},   {"PWR", SIGPWR},
    {"SYS", SIGSYS},
#ifdef SIGSTKFLT
    {"STKFLT", SIGSTKFLT},
#endif
}};

constexpr int kHighestPlain = 31;
constexpr long kUnknown = -1;

/// The whole of `text` as strtol(3) reads it, which skips blanks and takes signs.
std::optional<long> number(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (*end != '\0' || errno != 0) return std::nullopt;
  return value;
}

bool exists(long signal) {
  return (signal >= 1 && signal <= kHighestPlain) || (signal >= SIGRTMIN && signal <= SIGRTMAX);
}

/// "RTMIN+3", "RTMAX-1", "RTMIN".
long real_time_signal(const std::string& name) {
  const bool from_minimum = name.compare(0, 5, "RTMIN") == 0;
  if (!from_minimum && name.compare(0, 5, "RTMAX") != 0) return kUnknown;
  const std::optional<long> distance = number(name.substr(5));
  if (!distance || std::labs(*distance) > SIGRTMAX - SIGRTMIN) return kUnknown;
  const long signal = (from_minimum ? SIGRTMIN : SIGRTMAX) + *distance;
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : kUnknown;
}

long named_signal(const std::string& name) {
  for (const SignalName& known : kSignals) {
    if (known.name == name) return known.number;
  }
  return real_time_signal(name);
}

/// Numbers may be a shell's exit status: 128 and the signal, ksh's 256 and the signal.
long numbered_signal(const std::string& digits) {
  const std::optional<long> value = number(digits);
  if (!value || *value > 0x7FFFFFFFL) return kUnknown;
  return *value & (*value >= 0xFF ? 0xFF : 0x7F);
}

long signal_of(std::string operand) {
  if (operand[0] >= '0' && operand[0] <= '9') return numbered_signal(operand);
  for (char& byte : operand) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  const long signal = named_signal(operand);
  if (signal != kUnknown || operand.compare(0, 3, "SIG") != 0) return signal;
  return named_signal(operand.substr(3));
}

bool is_fixed(long signal) {
  return signal == SIGKILL || signal == SIGSTOP;
}

}  // namespace

bool is_env_signal_list(std::string_view list, bool changes_action) {
  while (!list.empty()) {
    const std::string_view operand = list.substr(0, list.find(','));
    list.remove_prefix(std::min(operand.size() + 1, list.size()));
    if (operand.empty()) continue;
    const long signal = signal_of(std::string(operand));
    if (!exists(signal) || (changes_action && is_fixed(signal))) return false;
  }
  return true;
}

}  // namespace permguard
