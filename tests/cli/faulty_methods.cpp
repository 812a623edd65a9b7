// SPDX-License-Identifier: Apache-2.0
// Methods that misbehave on purpose, for a program of the tests: what the harness must survive, notice or refuse.
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <new>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/base/half.hpp"
#include "harness/device/buffer.hpp"
#include "harness/method/definition.hpp"
#include "harness/method/reference_execution.hpp"
#include "harness/method/registry.hpp"

namespace attnscope {
namespace {

/// Dense attention that goes through the reference, then does its fault.
class Faulty : public Method {
 public:
  explicit Faulty(std::string name) {
    info_.name = std::move(name);
    info_.title = info_.name;
    info_.phases = {Phase::prefill, Phase::decode};
    info_.backends = {Backend::cpu};
    info_.paper = {"A test", "Nobody", 2025, "none", "https://example.org"};
  }
  const MethodInfo& info() const override { return info_; }
  std::optional<std::string> unsupported(const Shape& shape, Phase, Backend, const Params&) const override {
    if (shape.q_heads == 7) return "seven heads are not supported";
    return std::nullopt;
  }
  std::unique_ptr<const Definition> define(const AttentionInputs& host, Phase, const Params&,
                                           std::vector<SideTensor>) const override {
    return define_dense(host.shape);
  }
  std::unique_ptr<Execution> prepare(Backend, const Task& task, const Params& params) const override;
  virtual void fault(const Task& task) const = 0;
  /// Wrong bookkeeping, added to the truth.
  virtual std::uint64_t invented_pairs() const { return 0; }
  virtual std::size_t hidden_keys() const { return 0; }

 private:
  MethodInfo info_;
};

class FaultyExecution final : public Execution {
 public:
  FaultyExecution(const Faulty& method, const Task& task, const Params& params)
      : method_(method), task_(task), right_(make_reference_execution(method, task, params)) {}
  void run(StageObserver& observer) override {
    right_->run(observer);
    method_.fault(task_);
  }
  std::uint64_t attended_pairs() const override { return right_->attended_pairs() + method_.invented_pairs(); }
  void attended_keys(const Row& row, std::vector<std::int32_t>& keys) const override {
    right_->attended_keys(row, keys);
    keys.resize(keys.size() - std::min(keys.size(), method_.hidden_keys()));
  }
  std::vector<StageCost> costs() const override { return right_->costs(); }

 private:
  const Faulty& method_;
  Task task_;
  std::unique_ptr<Execution> right_;
};

std::unique_ptr<Execution> Faulty::prepare(Backend, const Task& task, const Params& params) const {
  return std::make_unique<FaultyExecution>(*this, task, params);
}

void scale_output(const Task& task, std::int64_t row, float factor) {
  const Shape& shape = task.inputs.shape;
  for (std::int64_t i = row * shape.head_dim; i < (row + 1) * shape.head_dim; ++i)
    store_element(task.outputs.o, shape.dtype, i, factor * load_element(task.outputs.o, shape.dtype, i));
}

struct Good final : Faulty {
  Good() : Faulty("good") {}
  void fault(const Task&) const override {}
};
struct Slow final : Faulty {
  Slow() : Faulty("slow") {}
  void fault(const Task&) const override { std::this_thread::sleep_for(std::chrono::milliseconds(200)); }
};
struct Hangs final : Faulty {
  Hangs() : Faulty("hangs") {}
  void fault(const Task&) const override { std::this_thread::sleep_for(std::chrono::hours(1)); }
};
struct Segfaults final : Faulty {
  Segfaults() : Faulty("segfaults") {}
  void fault(const Task&) const override {
    fmt::print(stderr, "about to fail\n");
    std::raise(SIGSEGV);
  }
};
struct Throws final : Faulty {
  Throws() : Faulty("throws") {}
  void fault(const Task&) const override { throw Error("the launch failed"); }
};
struct Exhausts final : Faulty {
  Exhausts() : Faulty("exhausts") {}
  void fault(const Task&) const override { throw std::bad_alloc(); }
};
struct Killed final : Faulty {
  Killed() : Faulty("killed") {}
  void fault(const Task&) const override { std::raise(SIGKILL); }
};
struct WrongRow final : Faulty {
  WrongRow() : Faulty("wrong_row") {}
  void fault(const Task& task) const override { scale_output(task, task.inputs.shape.rows() - 1, 1.1f); }
};
struct WrongLse final : Faulty {
  WrongLse() : Faulty("wrong_lse") {}
  void fault(const Task& task) const override { task.outputs.lse[0] += 0.01f; }
};
struct Unwritten final : Faulty {
  Unwritten() : Faulty("unwritten") {}
  void fault(const Task& task) const override { task.outputs.lse[0] = std::bit_cast<float>(0xffffffffu); }
};
struct Overruns final : Faulty {
  Overruns() : Faulty("overruns") {}
  void fault(const Task& task) const override { task.outputs.lse[task.inputs.shape.rows()] = 0; }
};
struct OverrunsWorkspace final : Faulty {
  OverrunsWorkspace() : Faulty("overruns_workspace") {}
  void fault(const Task&) const override {
    static const Buffer workspace(Space::host, 100);
    workspace.as<char>()[100] = 0;
  }
};
struct Miscounts final : Faulty {
  Miscounts() : Faulty("miscounts") {}
  void fault(const Task&) const override {}
  std::uint64_t invented_pairs() const override { return 1; }
};
struct DropsKey final : Faulty {
  DropsKey() : Faulty("drops_key") {}
  void fault(const Task&) const override {}
  std::size_t hidden_keys() const override { return 1; }
};
/// Right when it is checked, wrong from its tenth call on.
struct Decays final : Faulty {
  Decays() : Faulty("decays") {}
  void fault(const Task& task) const override {
    static int calls = 0;
    if (++calls >= 10) scale_output(task, 0, 1.1f);
  }
};

const Register<Good> good;
const Register<Slow> slow;
const Register<Hangs> hangs;
const Register<Segfaults> segfaults;
const Register<Throws> throws;
const Register<Exhausts> exhausts;
const Register<Killed> killed;
const Register<WrongRow> wrong_row;
const Register<WrongLse> wrong_lse;
const Register<Unwritten> unwritten;
const Register<Overruns> overruns;
const Register<OverrunsWorkspace> overruns_workspace;
const Register<Miscounts> miscounts;
const Register<DropsKey> drops_key;
const Register<Decays> decays;

}  // namespace
}  // namespace attnscope
