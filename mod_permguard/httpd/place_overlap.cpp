// SPDX-License-Identifier: Apache-2.0
#include "httpd/place_overlap.h"

#include <algorithm>
#include <utility>

#include "core/chain.h"
#include "httpd/handler_rules.h"
#include "httpd/place_audit.h"

namespace permguard {
namespace {

bool is_off(const ScriptPlace& place) {
  return place.mode.mode == Mode::off;
}

/// Whether `one` says of a file whatever `other` would: a risk that one of several virtual hosts
/// forbids is an error. Only suexec's policy, where it is asked, says more than the kernel.
bool answers_for(const ScriptPlace& one, const ScriptPlace& other) {
  const bool forbids_as_much =
      std::all_of(other.forbidden.begin(), other.forbidden.end(), [&](Code code) {
        return std::find(one.forbidden.begin(), one.forbidden.end(), code) != one.forbidden.end();
      });
  return one.role == other.role && one.need == other.need && one.who == other.who &&
         forbids_as_much && (one.desired == other.desired || other.desired.empty()) &&
         one.search_path == other.search_path && is_off(one) == is_off(other) &&
         (is_for_suexec(one) || !is_for_suexec(other));
}

bool holds_all(const std::vector<std::string>& rules, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& rule) {
    return std::find(rules.begin(), rules.end(), rule) != rules.end();
  });
}

bool holds_all(const ScriptNames& names, const ScriptNames& wanted) {
  return holds_all(names.extensions, wanted.extensions) &&
         holds_all(names.patterns, wanted.patterns) &&
         holds_all(names.expressions, wanted.expressions) && holds_all(names.paths, wanted.paths);
}

/// Whether no file of `whole` in a directory of both is out of the scope of `part`.
bool has_scope_of(const ScriptChoice& part, const ScriptChoice& whole) {
  return part.within == whole.within && holds_all(whole.outside, part.outside) &&
         (part.whole.empty() || part.whole == whole.whole);
}

bool has_files_of(const ScriptChoice& one, const ScriptChoice& other) {
  return one.handled == other.handled && one.among == other.among && one.except == other.except;
}

bool is_excluded(const ScriptPlace& place, const std::string& path) {
  return std::any_of(place.excluded.begin(), place.excluded.end(),
                     [&](const std::string& excluded) { return lies_in(path, excluded); });
}

class Separator {
 public:
  explicit Separator(std::vector<ScriptPlace>& places) : places_(places) {}

  void run() {
    for (std::size_t i = places_.size(); i-- > 0;) {
      places_[i].repeats = std::any_of(
          places_.begin(), places_.end(),
          [&](const ScriptPlace& other) { return &other != &places_[i] && stands_for(other, i); });
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
      for (std::size_t j = 0; j < places_.size(); ++j) {
        if (i != j) leave_to(places_[j], i);
      }
    }
  }

 private:
  bool stands_for(const ScriptPlace& other, std::size_t at) const {
    const ScriptPlace& place = places_[at];
    return !other.repeats && other.path == place.path && other.kind == place.kind &&
           answers_for(other, place) && has_files_of(other.names, place.names) &&
           has_scope_of(other.names, place.names) && other.excluded == place.excluded;
  }

  /// Takes out of the place `at` what `inner` asks as well.
  void leave_to(const ScriptPlace& inner, std::size_t at) {
    ScriptPlace& outer = places_[at];
    if (inner.repeats || outer.repeats || outer.role != Role::script) return;
    if (lies_in(outer.path, inner.path) && outer.path != inner.path)
      leave_names_below(inner, outer);
    if (!lies_in(inner.path, outer.path) || is_excluded(outer, inner.path) ||
        !answers_for(inner, outer) || !has_scope_of(inner.names, outer.names)) {
      return;
    }
    const ScriptChoice& less = inner.names;
    if (has_files_of(less, outer.names)) {
      if (inner.path != outer.path) outer.excluded.push_back(inner.path);
    } else if (outer.names.empty() && less.among.empty() && less.except.empty()) {
      leave_names_to(inner, at);
    }
  }

  /// The same where the place of some names, `around`, lies around that of all.
  static void leave_names_below(const ScriptPlace& around, ScriptPlace& place) {
    const ScriptChoice& names = around.names;
    if (!names.empty() && names.among.empty() && names.except.empty() && place.names.empty() &&
        !is_excluded(around, place.path) && answers_for(around, place) &&
        has_scope_of(names, place.names) && !holds_all(place.names.outside, names.handled)) {
      add_names(place.names.outside, names.handled);
    }
  }

  /// A file has few handlers: those of `inner` need not be looked at as any file of `outer`.
  void leave_names_to(const ScriptPlace& inner, std::size_t at) {
    const ScriptNames handled = inner.names.handled;
    if (holds_all(places_[at].names.outside, handled)) return;
    if (inner.path == places_[at].path) {
      add_names(places_[at].names.outside, handled);
      return;
    }
    ScriptPlace part = places_[at];
    part.path = inner.path;
    part.is_part = true;
    std::erase_if(part.excluded,
                  [&](const std::string& path) { return !lies_in(path, part.path); });
    add_names(part.names.outside, handled);
    places_[at].excluded.push_back(part.path);
    places_.push_back(std::move(part));
  }

  std::vector<ScriptPlace>& places_;
};

}  // namespace

bool is_asked_the_same(const ScriptPlace& one, const ScriptPlace& other) {
  return one.path == other.path && one.handler == other.handler && one.role == other.role &&
         one.need == other.need && one.who.uid == other.who.uid && one.who.gid == other.who.gid &&
         one.names == other.names;
}

bool is_judged_alike(const ScriptPlace& one, const ScriptPlace& other) {
  return one.who == other.who && one.forbidden == other.forbidden && one.desired == other.desired &&
         one.search_path == other.search_path && one.suexec.has_value() == other.suexec.has_value();
}

void take_apart(std::vector<ScriptPlace>& places) {
  Separator(places).run();
}

std::vector<ScriptPlace> distinct_places(std::vector<ScriptPlace> places) {
  std::erase_if(places, is_off);
  take_apart(places);
  std::erase_if(places, [](const ScriptPlace& place) { return place.repeats; });
  return places;
}

}  // namespace permguard
