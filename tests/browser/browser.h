// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/http_client.h"
#include "support/process.h"
#include "support/temp_tree.h"

namespace permguard::test {

/// A headless Chromium, driven over the WebDriver protocol (W3C WebDriver; chromedriver adds the
/// DevTools protocol and the console). What it refuses throws std::runtime_error with its words.
class Browser {
 public:
  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Whether chromium and chromedriver are installed.
  static bool available();

  void open(const std::string& url);
  /// CSS pixels of the visible page.
  void resize(int width, int height);
  /// What prefers-color-scheme says: "light", "dark".
  void prefer(const std::string& scheme);
  /// Pages opened from now on run their scripts, or not.
  void set_javascript(bool enabled);
  /// Lets the origin read and write the clipboard.
  void grant_clipboard(const std::string& origin);

  /// The result of `script`, the body of a function whose `arguments` are given. A promise is
  /// waited for.
  nlohmann::json run(const std::string& script, const nlohmann::json& arguments = {});
  /// Real input to the element `selector` names; it is scrolled into view.
  void click(const std::string& selector);
  void type(const std::string& selector, const std::string& text);
  /// A key to the focused element: U+E004 is Tab.
  void press(const std::string& key);

  /// The console's messages and the policy's violations since the last call.
  std::vector<std::string> console();
  /// PNG of the visible page.
  std::string screenshot();

 private:
  HttpResponse ask(const std::string& method, const std::string& path,
                   const std::string& body) const;
  nlohmann::json command(const std::string& method, const std::string& path,
                         const nlohmann::json& body);
  void start_session();
  void devtools(const std::string& name, const nlohmann::json& parameters);
  std::string element(const std::string& selector);

  TempTree profile_;
  int port_ = 0;
  std::unique_ptr<Child> driver_;
  std::string session_;
};

}  // namespace permguard::test
