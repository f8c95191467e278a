// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "report/pages.h"

namespace permguard {

/// Writes metric families in the Prometheus text format 0.0.4 or in OpenMetrics 1.0, which names
/// a counter's family without "_total", knows units and the type info, and ends in "# EOF".
class MetricsText {
 public:
  enum class Type : std::uint8_t { counter, gauge, histogram, info };
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  explicit MetricsText(MetricsFormat format) : format_(format) {}

  /// Begins a family. `name` is without "_total" and "_info"; `unit` "" or the name's last word.
  void family(std::string_view name, Type type, std::string_view unit, std::string_view help);
  /// One sample of the family begun last.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  /// A sample named family + `suffix`: "_bucket", "_sum", "_count".
  void part(std::string_view suffix, Labels labels, std::string_view value);

  std::string finish();

 private:
  MetricsFormat format_;
  std::string text_;
  std::string family_;
  std::string_view sample_suffix_;
};

/// A number as Go's %g writes it, which both formats take for canonical: "1e-06", "0.001".
std::string number_text(double value);

}  // namespace permguard
