// SPDX-License-Identifier: Apache-2.0
// All rooms of this build, by name. Rooms register themselves; nothing lists them by hand.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "harness/method/method.hpp"

namespace attnscope {

/// Sorted by name, so that link order does not matter. Asked first when static initialisation has ended: a room's
/// `info` may depend on what else has registered.
const std::vector<const Method*>& methods();

/// Throws InputError naming the nearest method when there is none of that name.
const Method& find_method(std::string_view name);

/// The last line of a room's method.cpp: `const Register<Quest> registered;`
void register_method(std::unique_ptr<const Method> method);

template <typename Room>
struct Register {
  Register() { register_method(std::make_unique<const Room>()); }
};

}  // namespace attnscope
