// SPDX-License-Identifier: Apache-2.0
// attnscope: the table of sub-commands, and what each kind of failure tells the shell.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "bench/compare.hpp"
#include "bench/doctor.hpp"
#include "bench/list.hpp"
#include "bench/metrics.hpp"
#include "bench/report.hpp"
#include "bench/run.hpp"
#include "bench/trace.hpp"
#include "bench/validate.hpp"
#include "bench/worker.hpp"
#include "harness/base/error.hpp"

namespace {

using namespace attnscope;

constexpr int kBadInput = 2;
constexpr int kMachineCannot = 3;
constexpr int kFailed = 4;

using AddCommand = void (*)(CLI::App&, int&);
constexpr std::array<AddCommand, 9> kCommands{add_list,    add_run,    add_report,   add_compare, add_trace,
                                              add_metrics, add_doctor, add_validate, add_worker};

int fail(int exit_code, const char* message) {
  fmt::print(stderr, "attnscope: {}\n", message);
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("attnscope measures what a sparse attention method really costs and what it really gives up.");
  app.set_version_flag("--version", ATTNSCOPE_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  for (const AddCommand add : kCommands) add(app, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(kBadInput, error.what());
  } catch (const InputError& error) {
    return fail(kBadInput, error.what());
  } catch (const MachineError& error) {
    return fail(kMachineCannot, error.what());
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}
