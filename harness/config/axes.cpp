// SPDX-License-Identifier: Apache-2.0
#include "harness/config/axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/nearest.hpp"
#include "harness/base/strict_json.hpp"
#include "harness/config/fields.hpp"

namespace attnscope::config {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// RFC 6901; control characters would break the one line of a message.
std::string child(const std::string& pointer, std::string_view name) {
  std::string path = pointer + '/';
  for (const char c : name) {
    if (c == '~')
      path += "~0";
    else if (c == '/')
      path += "~1";
    else
      path += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  }
  return path;
}

/// A member of an object, and the same member of its defaults where the two are to be merged.
struct Member {
  std::string name;
  Place own;
  Place defaults;
};

// Members of `defaults` that `own` lacks, then those of `own`, each in the order of the file.
std::vector<Member> merge(const Place& own, const Place& defaults) {
  std::vector<Member> members;
  if (defaults.node != nullptr)
    for (const auto& [name, node] : defaults.node->items())
      if (!own.node->contains(name)) members.push_back({name, member(defaults, name), {}});
  for (const auto& [name, node] : own.node->items()) {
    const bool merged = (name == "shape" || name == "sampling") && node.is_object() && defaults.node != nullptr &&
                        defaults.node->contains(name) && defaults.node->at(name).is_object();
    members.push_back({name, member(own, name), merged ? member(defaults, name) : Place{}});
  }
  return members;
}

class Expander {
 public:
  explicit Expander(const std::string& file) : file_(file) {}

  Choices object(const Place& own, const Place& defaults, const std::string& key) const {
    std::set<std::string> names;
    Choices product{Choice{}};
    for (const Member& part : merge(own, defaults)) {
      Choices axis;
      if (part.name == "zip") {
        axis = zip(part.own, key, names);
      } else {
        claim(part.name, part.own.pointer, key, names);
        axis = node(part.own, part.defaults, join(key, part.name));
      }
      product = multiply(product, axis, own.pointer);
    }
    return product;
  }

 private:
  static std::string join(const std::string& key, const std::string& name) {
    return key.empty() ? name : key + "." + name;
  }

  Choices node(const Place& own, const Place& defaults, const std::string& key) const {
    const ordered_json& tree = *own.node;
    if (tree.is_array()) return list(own, key);
    if (!tree.is_object()) return {{std::make_shared<const Value>(Value{key, tree, own.pointer})}};
    if (tree.size() == 1 && tree.contains("range")) return range(member(own, "range"), key);
    if (tree.size() == 1 && tree.contains("pow2")) return pow2(member(own, "pow2"), key);
    return object(own, defaults, key);
  }

  // Each name of an object is known and given once, whether directly or in its zip.
  void claim(const std::string& name, const std::string& pointer, const std::string& key,
             std::set<std::string>& names) const {
    const std::vector<std::string> known = names_under(key);
    if (known.empty())
      fail(file_, pointer,
           R"(expected a value, a list, {"range": [first, last, step]} or {"pow2": [first, last]}, found an object)");
    if (known.front() != kAnyName && std::ranges::find(known, name) == known.end())
      fail(file_, pointer, unknown_key(name, known));
    if (!names.insert(name).second) fail(file_, pointer, "expected once, found beside the zip and in it");
  }

  Choices list(const Place& place, const std::string& key) const {
    if (place.node->empty()) fail(file_, place.pointer, "expected at least one value, found []");
    Choices all;
    for (std::size_t i = 0; i < place.node->size(); ++i) {
      const Place element{&place.node->at(i), fmt::format("{}/{}", place.pointer, i)};
      if (element.node->is_array()) fail(file_, element.pointer, "expected a value, found a list within a list");
      for (Choice& choice : node(element, {}, key)) all.push_back(std::move(choice));
      check_count(static_cast<double>(all.size()), place.pointer);
    }
    return all;
  }

  Choices range(const Place& place, const std::string& key) const {
    const auto& [tree, pointer] = place;
    const ordered_json& node = *tree;
    constexpr double kExact = 0x1p53;  // integers up to here are exact in a double
    const bool numbers =
        node.is_array() && node.size() == 3 && std::ranges::all_of(node, [](const ordered_json& number) {
          return number.is_number() && std::abs(number.get<double>()) <= kExact;
        });
    if (!numbers) fail(file_, pointer, fmt::format("expected [first, last, step], found {}", quote(node)));
    const double first = node[0];
    const double step = node[2];
    const double steps = (node[1].get<double>() - first) / step;
    if (step == 0 || !(steps >= 0))
      fail(file_, pointer, fmt::format("expected a step that leads from first to last, found {}", quote(node)));
    constexpr double kSlack = 1e-9;  // so that 0.1 to 0.3 in steps of 0.1 has three values
    const double count = std::floor(steps + kSlack) + 1;
    check_count(count, pointer);
    const bool integers =
        std::ranges::all_of(node, [](const ordered_json& number) { return number.is_number_integer(); });
    Choices all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const double value = first + static_cast<double>(i) * step;
      add(all, key, integers ? json(static_cast<std::int64_t>(value)) : json(value), pointer);
    }
    return all;
  }

  Choices pow2(const Place& place, const std::string& key) const {
    const auto& [tree, pointer] = place;
    const ordered_json& node = *tree;
    const bool exponents =
        node.is_array() && node.size() == 2 && std::ranges::all_of(node, [](const ordered_json& number) {
          return number.is_number_unsigned() && number.get<std::uint64_t>() <= 62;
        });
    if (!exponents || node[0] > node[1])
      fail(file_, pointer,
           fmt::format("expected exponents [first, last] with 0 <= first <= last <= 62, found {}", quote(node)));
    Choices all;
    for (int exponent = node[0]; exponent <= node[1].get<int>(); ++exponent)
      add(all, key, std::int64_t{1} << exponent, pointer);
    return all;
  }

  Choices zip(const Place& place, const std::string& key, std::set<std::string>& names) const {
    if (!place.node->is_object() || place.node->empty())
      fail(file_, place.pointer, fmt::format("expected an object of axes, found {}", quote(*place.node)));
    Choices rows;
    for (const Member& part : merge(place, {})) {
      claim(part.name, part.own.pointer, key, names);
      const Choices axis = node(part.own, {}, join(key, part.name));
      if (rows.empty()) rows.resize(axis.size());
      if (axis.size() != rows.size())
        fail(file_, part.own.pointer,
             fmt::format("expected {} values as in the zip's first axis, found {}", rows.size(), axis.size()));
      for (std::size_t i = 0; i < axis.size(); ++i) rows[i].insert(rows[i].end(), axis[i].begin(), axis[i].end());
    }
    return rows;
  }

  Choices multiply(const Choices& slow, const Choices& fast, const std::string& pointer) const {
    check_count(static_cast<double>(slow.size()) * static_cast<double>(fast.size()), pointer);
    Choices product;
    product.reserve(slow.size() * fast.size());
    for (const Choice& outer : slow) {
      for (const Choice& inner : fast) {
        Choice& choice = product.emplace_back(outer);
        choice.insert(choice.end(), inner.begin(), inner.end());
      }
    }
    return product;
  }

  void check_count(double count, const std::string& pointer) const {
    if (count > kMaxPoints)
      fail(file_, pointer, fmt::format("expected at most {} points, found {}", kMaxPoints, count));
  }

  static void add(Choices& all, const std::string& key, json value, const std::string& pointer) {
    all.push_back({std::make_shared<const Value>(Value{key, std::move(value), pointer})});
  }

  const std::string& file_;
};

}  // namespace

Place member(const Place& parent, const std::string& name) {
  return {&parent.node->at(name), child(parent.pointer, name)};
}

Choices expand(const Place& sweep, const Place& defaults, const std::string& file) {
  return Expander(file).object(sweep, defaults, "");
}

std::string unknown_key(const std::string& name, const std::vector<std::string>& known) {
  return fmt::format("unknown key; did you mean '{}'? (known: {})", nearest_name(name, known), fmt::join(known, ", "));
}

void fail(const std::string& file, const std::string& pointer, std::string_view what) {
  throw InputError(fmt::format("{}: {}: {}", file, pointer.empty() ? "/" : pointer, what));
}

}  // namespace attnscope::config
