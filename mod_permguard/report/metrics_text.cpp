// SPDX-License-Identifier: Apache-2.0
#include "report/metrics_text.h"

#include <array>
#include <charconv>

namespace permguard {
namespace {

std::string_view suffix_of(MetricsText::Type type) {
  if (type == MetricsText::Type::counter) return "_total";
  return type == MetricsText::Type::info ? "_info" : "";
}

std::string_view type_name(MetricsText::Type type, MetricsFormat format) {
  switch (type) {
    case MetricsText::Type::counter:
      return "counter";
    case MetricsText::Type::histogram:
      return "histogram";
    case MetricsText::Type::info:
      return format == MetricsFormat::openmetrics ? "info" : "gauge";
    case MetricsText::Type::gauge:
      break;
  }
  return "gauge";
}

// Both formats escape a label's value alike.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char character : value) {
    if (character == '\n') {
      text += "\\n";
      continue;
    }
    if (character == '"' || character == '\\') text += '\\';
    text += character;
  }
  return text;
}

}  // namespace

void MetricsText::family(std::string_view name, Type type, std::string_view unit,
                         std::string_view help) {
  family_ = name;
  sample_suffix_ = suffix_of(type);
  std::string shown = family_;
  if (format_ == MetricsFormat::prometheus) shown += sample_suffix_;
  const auto line = [&](const char* keyword, std::string_view text) {
    text_ += std::string("# ") + keyword + ' ' + shown + ' ' + std::string(text) + '\n';
  };
  line("HELP", help);
  line("TYPE", type_name(type, format_));
  if (format_ == MetricsFormat::openmetrics && !unit.empty()) line("UNIT", unit);
}

void MetricsText::sample(Labels labels, std::uint64_t value) {
  part(sample_suffix_, labels, std::to_string(value));
}

void MetricsText::sample(Labels labels, double value) {
  part(sample_suffix_, labels, number_text(value));
}

void MetricsText::part(std::string_view suffix, Labels labels, std::string_view value) {
  text_ += family_;
  text_ += suffix;
  char separator = '{';
  for (const Label& label : labels) {
    text_ += separator + std::string(label.name) + "=\"" + escaped(label.value) + '"';
    separator = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_ += ' ' + std::string(value) + '\n';
}

std::string MetricsText::finish() {
  if (format_ == MetricsFormat::openmetrics) text_ += "# EOF\n";
  return std::move(text_);
}

std::string number_text(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 9);
  return {text.data(), end.ptr};
}

}  // namespace permguard
