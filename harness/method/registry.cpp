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

const std::string& name_of(const Method* method) { return method->info().name; }

std::vector<const Method*> sorted() {
  std::vector<const Method*> rooms;
  for (const auto& room : owned()) rooms.push_back(room.get());
  std::ranges::sort(rooms, {}, name_of);
  return rooms;
}

}  // namespace

void register_method(std::unique_ptr<const Method> method) { owned().push_back(std::move(method)); }

const std::vector<const Method*>& methods() {
  static const std::vector<const Method*> rooms = sorted();
  return rooms;
}

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
