// SPDX-License-Identifier: Apache-2.0
#include "browser/browser.h"

#include <unistd.h>

#include <stdexcept>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using nlohmann::json;

// The key under which WebDriver names an element.
constexpr const char* kElement = "element-6066-11e4-a52e-4f735466cecf";
constexpr std::chrono::seconds kPatience{120};

std::string decode_base64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char letter : text) {
    const std::size_t value = alphabet.find(letter);
    if (value == std::string::npos) continue;
    bits = (bits << 6) | static_cast<unsigned>(value);
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xff);
  }
  return bytes;
}

json capabilities(const std::string& profile) {
  const json options = {
      {"args",
       {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
        "--force-device-scale-factor=1", "--user-data-dir=" + profile}}};
  return {{"capabilities",
           {{"alwaysMatch",
             {{"browserName", "chrome"},
              {"goog:loggingPrefs", {{"browser", "ALL"}}},
              {"goog:chromeOptions", options}}}}}};
}

}  // namespace

bool Browser::available() {
  return test::run({"sh", "-c", "command -v chromedriver && command -v chromium"}).succeeded();
}

Browser::Browser() : port_(free_port()) {
  ProcessOptions options;
  options.output = profile_.path("driver.log");
  options.environment = {{"HOME", profile_.root()}};
  driver_ = std::make_unique<Child>(
      std::vector<std::string>{"chromedriver", "--port=" + std::to_string(port_)}, options);
  const bool ready = poll_until([this] { return ask("GET", "/status", "").status == 200; });
  if (!ready) throw std::runtime_error("chromedriver does not answer");
  start_session();
}

Browser::~Browser() {
  ask("DELETE", "/session/" + session_, "");
}

HttpResponse Browser::ask(const std::string& method, const std::string& path,
                          const std::string& body) const {
  HttpRequest request;
  request.method = method;
  request.url = "http://127.0.0.1:" + std::to_string(port_) + path;
  request.headers = {"Content-Type: application/json"};
  request.body = body;
  request.timeout = kPatience;
  return send(request);
}

void Browser::start_session() {
  session_ = command("POST", "", capabilities(profile_.path("profile"))).at("sessionId");
}

json Browser::command(const std::string& method, const std::string& path, const json& body) {
  const std::string prefix = session_.empty() ? "/session" : "/session/" + session_;
  const HttpResponse response = ask(method, prefix + path, method == "POST" ? body.dump() : "");
  const json answer = json::parse(response.body, nullptr, false);
  if (response.status != 200) {
    throw std::runtime_error("WebDriver " + path + ": " + response.error +
                             response.body.substr(0, 2000));
  }
  return answer.at("value");
}

void Browser::devtools(const std::string& name, const json& parameters) {
  command("POST", "/goog/cdp/execute", {{"cmd", name}, {"params", parameters}});
}

void Browser::open(const std::string& url) {
  command("POST", "/url", {{"url", url}});
}

void Browser::resize(int width, int height) {
  devtools("Emulation.setDeviceMetricsOverride",
           {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void Browser::prefer(const std::string& scheme) {
  devtools("Emulation.setEmulatedMedia",
           {{"features", {{{"name", "prefers-color-scheme"}, {"value", scheme}}}}});
}

void Browser::set_javascript(bool enabled) {
  devtools("Emulation.setScriptExecutionDisabled", {{"value", !enabled}});
}

void Browser::grant_clipboard(const std::string& origin) {
  devtools(
      "Browser.grantPermissions",
      {{"origin", origin}, {"permissions", {"clipboardReadWrite", "clipboardSanitizedWrite"}}});
}

json Browser::run(const std::string& script, const json& arguments) {
  return command("POST", "/execute/sync",
                 {{"script", script}, {"args", arguments.is_null() ? json::array() : arguments}});
}

std::string Browser::element(const std::string& selector) {
  const json found = command("POST", "/element", {{"using", "css selector"}, {"value", selector}});
  return found.at(kElement);
}

void Browser::click(const std::string& selector) {
  command("POST", "/element/" + element(selector) + "/click", json::object());
}

void Browser::type(const std::string& selector, const std::string& text) {
  command("POST", "/element/" + element(selector) + "/value", {{"text", text}});
}

void Browser::press(const std::string& key) {
  const json keys = {{{"type", "keyDown"}, {"value", key}}, {{"type", "keyUp"}, {"value", key}}};
  command("POST", "/actions",
          {{"actions", {{{"type", "key"}, {"id", "keyboard"}, {"actions", keys}}}}});
}

std::vector<std::string> Browser::console() {
  std::vector<std::string> messages;
  for (const json& entry : command("POST", "/se/log", {{"type", "browser"}})) {
    messages.push_back(entry.at("message"));
  }
  return messages;
}

std::string Browser::screenshot() {
  return decode_base64(command("GET", "/screenshot", {}).get<std::string>());
}

}  // namespace permguard::test
