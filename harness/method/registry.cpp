// SPDX-License-Identifier: Apache-2.0
#include "harness/method/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"

namespace attnscope {
namespace {

// Function-local, so that it exists before the first static initialiser that registers a room.
std::vector<std::unique_ptr<const Method>>& owned() {
  static std::vector<std::unique_ptr<const Method>> rooms;
  return rooms;
}

std::vector<const Method*>& sorted() {
  static std::vector<const Method*> rooms;
  return rooms;
}

const std::string& name_of(const Method* method) { return method->info().name; }

}  // namespace

void register_method(std::unique_ptr<const Method> method) {
  auto& rooms = sorted();
  rooms.insert(std::ranges::upper_bound(rooms, method->info().name, {}, name_of), method.get());
  owned().push_back(std::move(method));
}

const std::vector<const Method*>& methods() { return sorted(); }

const Method& find_method(std::string_view name) {
  std::vector<std::string> names;
  for (const Method* method : methods()) {
    if (name_of(method) == name) return *method;
    names.push_back(name_of(method));
  }
  throw InputError(fmt::format("method: no method named '{}'; did you mean '{}'? (attnscope list methods)", name,
                               nearest_name(name, names)));
}

}  // namespace attnscope
