// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace permguard::cli {

/// Makes the file `path`, mode 0600, with `text`, which is on the disk when this returns. Never one
/// that exists, and through no link but those of root and of the caller, since whoever may write in
/// its directory could have put one there. Throws CommandError with `option` and what is wrong;
/// then there is no file.
void write_new_file(const std::string& option, const std::string& path, const std::string& text);

}  // namespace permguard::cli
