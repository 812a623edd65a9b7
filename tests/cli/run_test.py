# SPDX-License-Identifier: Apache-2.0
"""`attnscope run` end to end: what it writes, what it survives, what it refuses. Usage: run_test.py ATTNSCOPE FAULTY"""

import glob
import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unittest

ATTNSCOPE, FAULTY = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def config(methods, **changes):
    sampling = {"ci_width": 0.5, "min_samples": 3, "max_samples": 12, "max_seconds": 1, "timeout_seconds": 20}
    sampling.update(changes.pop("sampling", {}))
    shape = {"q_heads": 2, "kv_heads": 1, "head_dim": 32, "kv_len": 50}
    shape.update(changes.pop("shape", {}))
    sweep = {"phase": "decode", "backend": "cpu", "dtype": "f32", "workload": {"name": "gaussian"}, "shape": shape,
             "methods": [{"name": name} for name in methods], "sampling": sampling}
    sweep.update(changes)
    return {"name": "test", "sweeps": [sweep]}


def without_timings(value):
    """A record's points less everything that a clock has touched."""
    if isinstance(value, dict):
        return {key: without_timings(entry) for key, entry in value.items()
                if key not in ("time", "median_ns", "peak_host_bytes")}
    if isinstance(value, list):
        return [without_timings(entry) for entry in value]
    return value


class RunTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.out = self.path("out.json")

    def tearDown(self):
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def write(self, name, content):
        data = json.dumps(content).encode() if isinstance(content, dict) else content
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def run_program(self, *arguments, program=FAULTY, expect=0):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120,
                              cwd=self.directory.name)
        self.assertEqual(done.returncode, expect, done.stderr + done.stdout)
        return done

    def measure(self, content, *arguments, expect=0, program=FAULTY):
        done = self.run_program("run", self.write("config.json", content), "-o", self.out, *arguments,
                                program=program, expect=expect)
        self.assertEqual(done.stderr, "", "no progress in a pipe")
        return self.points()

    def points(self):
        with open(self.out) as file:
            return json.load(file)["attnscope"]["points"]

    def refused(self, *arguments, says):
        """The program must fail with exit 2, one line that holds every word of `says`, and no record."""
        done = self.run_program("run", *arguments, expect=2)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in says:
            self.assertIn(word, done.stderr)
        for left in (self.out, self.out + ".journal", self.out + ".work"):
            self.assertFalse(os.path.exists(left), left)

    # What a run writes

    def test_a_record_has_accuracy_counts_and_every_sample(self):
        done = self.run_program("run", self.write("config.json", config(["good"])), "-o", self.out)
        self.assertIn(self.out, done.stdout)
        [point] = self.points()
        self.assertEqual(point["status"], "ok")
        self.assertEqual(point["density"], 1)
        self.assertEqual(point["attended_pairs"], 100)
        self.assertEqual(point["flops"]["useful"], 4 * 32 * 100)
        self.assertLess(point["accuracy"]["rel_l2"], 1e-6)
        self.assertAlmostEqual(point["accuracy"]["mass_recall"], 1)
        self.assertEqual(point["accuracy"]["rows_sampled"], 2)
        self.assertLess(point["verified"]["reference_rel_l2"], point["verified"]["tolerance"])
        self.assertTrue(point["verified"]["revalidated_after_timing"])
        self.assertTrue(point["verified"]["guards_intact"])
        samples = sorted(point["time"]["samples_ns"])
        self.assertGreaterEqual(len(samples), 3)
        self.assertTrue(samples[0] <= point["time"]["ci_low_ns"] <= point["time"]["median_ns"] <= samples[-1])
        self.assertGreater(point["stages"][0]["median_ns"], 0)
        with open(self.out) as file:
            context = json.load(file)["context"]
        self.assertIn("read_bytes_per_s", context["ceilings"]["cpu"])
        self.assertEqual(context["config"]["name"], "test")
        self.assertEqual(sorted(os.listdir(self.directory.name)), ["config.json", "out-report", "out.json"])
        self.run_program("validate", self.out)
        self.run_program("compare", self.out, self.out)

    def test_all_methods_see_the_same_bytes(self):
        points = self.measure(config(["good", "slow"], shape={"kv_len": [20, 30]}))
        self.assertEqual([(p["method"], p["shape"]["kv_len"]) for p in points],
                         [("good", 20), ("slow", 20), ("good", 30), ("slow", 30)])
        hashes = [p["workload"]["hash"] for p in points]
        self.assertEqual(hashes[0], hashes[1])
        self.assertEqual(hashes[2], hashes[3])
        self.assertNotEqual(hashes[0], hashes[2])

    def test_the_reference_is_a_backend_of_every_method(self):
        points = self.measure(config(["good"], backend=["reference", "cpu"]))
        self.assertEqual([p["backend"] for p in points], ["reference", "cpu"])
        self.assertEqual([p["status"] for p in points], ["ok", "ok"])

    def test_filter_and_device_restrict_the_points(self):
        both = config(["good", "slow"], backend=["cpu", "cuda"])
        self.assertEqual([p["backend"] for p in self.measure(both, "--device", "cpu")], ["cpu", "cpu"])
        self.assertEqual([p["method"] for p in self.measure(both, "--filter", "^good/cpu")], ["good"])

    def test_dumped_outputs_hold_tensors_and_mask(self):
        dumps = self.path("dumps")
        content = config(["good"], phase="prefill", shape={"q_len": 3, "kv_len": 5})
        [point] = self.measure(content, "--dump-outputs", dumps)
        self.assertEqual(point["dump"], "0-good-cpu.safetensors")
        with open(os.path.join(dumps, point["dump"]), "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            data = file.read()
        self.assertEqual({name: entry["shape"] for name, entry in header.items() if name != "__metadata__"},
                         {"q": [1, 2, 3, 32], "k": [1, 1, 5, 32], "v": [1, 1, 5, 32], "o": [1, 2, 3, 32],
                          "lse": [1, 2, 3], "mask": [1, 2, 3, 5]})
        begin, end = header["mask"]["data_offsets"]
        self.assertEqual(list(data[begin:end]), 2 * [1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1])

    def test_a_dump_is_an_input(self):
        dumps = self.path("dumps")
        [first] = self.measure(config(["good"]), "--dump-outputs", dumps)
        [again] = self.measure(config(["good"]), "--input", os.path.join(dumps, first["dump"]))
        self.assertEqual(again["workload"]["name"], "file")
        self.assertEqual(again["workload"]["hash"], first["workload"]["hash"])
        self.assertEqual(again["shape"], first["shape"])

    def test_processes_sample_a_point_in_turn(self):
        content = config(["good", "slow"], sampling={"processes": 3, "ci_width": 1e-9, "max_samples": 4})
        for point in self.measure(content):
            samples, time = point["time"]["samples_ns"], point["time"]
            self.assertEqual(time["process_samples"], [4, 4, 4])
            medians = sorted(statistics.median(samples[first:first + 4]) for first in (0, 4, 8))
            self.assertEqual([time["ci_low_ns"], time["median_ns"], time["ci_high_ns"]], medians)
            self.assertEqual(len(time["process_others"]), 3)
            self.assertTrue(all(0 <= share <= 1 for share in time["process_others"]))
        self.run_program("validate", self.out)
        self.run_program("compare", self.out, self.out)

    # What a run survives

    def test_faults_become_statuses_and_the_others_are_measured(self):
        names = ["segfaults", "throws", "exhausts", "killed", "good"]
        points = {p["method"]: p for p in self.measure(config(names))}
        self.assertEqual({name: p["status"] for name, p in points.items()},
                         {"segfaults": "crashed", "throws": "crashed", "exhausts": "oom", "killed": "oom",
                          "good": "ok"})
        self.assertIn("SIGSEGV", points["segfaults"]["reason"])
        self.assertIn("about to fail", points["segfaults"]["reason"])
        self.assertIn("the launch failed", points["throws"]["reason"])
        for point in points.values():
            self.assertEqual(point["time"]["samples_ns"] == [], point["status"] != "ok")

    def test_a_point_that_hangs_is_killed(self):
        points = self.measure(config(["hangs", "good"], sampling={"timeout_seconds": 1}))
        self.assertEqual([p["status"] for p in points], ["timeout", "ok"])

    def test_wrong_kernels_are_told_and_have_no_time(self):
        expected = {"wrong_row": "o of", "wrong_lse": "lse of", "unwritten": "not written",
                    "overruns": "beyond a buffer", "overruns_workspace": "beyond a buffer",
                    "miscounts": "attended_pairs", "drops_key": "must be attended",
                    "decays": "after timing"}
        for point in self.measure(config(list(expected), sampling={"ci_width": 1e-9})):
            self.assertEqual(point["status"], "wrong", point["method"])
            self.assertIn(expected[point["method"]], point["reason"])
            self.assertEqual(point["time"]["samples_ns"], [])

    def test_what_cannot_run_is_skipped_with_a_reason(self):
        points = self.measure(config(["good"], backend=["cuda", "cpu"], contract=["graph", "warm"]))
        reasons = {(p["backend"], p["time"]["contract"]): p["reason"] for p in points if p["status"] == "skipped"}
        self.assertEqual(set(reasons), {("cuda", "graph"), ("cuda", "warm"), ("cpu", "graph")})
        self.assertIn("backend cuda", reasons["cuda", "warm"])
        self.assertIn("GPU", reasons["cpu", "graph"])
        [point] = self.measure(config(["good"], shape={"q_heads": 7}))
        self.assertEqual((point["status"], point["reason"]), ("skipped", "seven heads are not supported"))

    def interrupt(self, signal_number, content):
        """Starts a run, signals it when its first point is journalled, and returns its exit code."""
        process = subprocess.Popen([FAULTY, "run", self.write("config.json", content), "-o", self.out, "--quiet"],
                                   stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        journal = self.out + ".journal"
        deadline = time.time() + 60
        while not (os.path.exists(journal) and os.path.getsize(journal) > 0) and time.time() < deadline:
            time.sleep(0.02)
        process.send_signal(signal_number)
        process.communicate(timeout=60)
        return process.returncode

    SLOW = {"ci_width": 1e-9, "max_samples": 4}

    def test_a_killed_run_resumes_to_the_same_record(self):
        content = config(["good", "slow"], shape={"kv_len": [20, 30, 40]}, sampling=self.SLOW)
        self.assertEqual(self.interrupt(signal.SIGKILL, content), -signal.SIGKILL)
        self.assertFalse(os.path.exists(self.out))
        with open(self.out + ".journal") as file:
            kept = [json.loads(line) for line in file]
        self.assertTrue(0 < len(kept) < 6)
        resumed = self.measure(content, "--resume")
        self.assertEqual(resumed[:len(kept)], kept)
        self.assertEqual(sorted(os.listdir(self.directory.name)), ["config.json", "out-report", "out.json"])
        self.assertEqual(without_timings(self.measure(content)), without_timings(resumed))

    def test_a_killed_run_of_several_processes_resumes_between_them(self):
        content = config(["good", "slow"], sampling=dict(self.SLOW, processes=3))
        self.assertEqual(self.interrupt(signal.SIGKILL, content), -signal.SIGKILL)
        with open(self.out + ".journal") as file:
            kept = [json.loads(line) for line in file]
        self.assertTrue(0 < len(kept) < 6)
        resumed = self.measure(content, "--resume")
        self.assertEqual([p["time"]["process_samples"] for p in resumed], [[4, 4, 4], [4, 4, 4]])
        self.assertEqual(resumed[0]["time"]["samples_ns"][:4], kept[0]["time"]["samples_ns"])
        self.assertEqual(without_timings(self.measure(content)), without_timings(resumed))

    def test_a_failure_in_a_later_process_is_the_points(self):
        content = config(["good"], sampling={"processes": 2, "max_samples": 4})
        self.measure(content)
        with open(self.out) as file:
            [point] = json.load(file)["attnscope"]["points"]
        first = dict(point, time=dict(point["time"], samples_ns=[1], process_samples=[1], process_others=[0]))
        failed = dict(first, status="crashed", reason="died")
        with open(self.out + ".journal", "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in (first, failed))
        [resumed] = self.measure(content, "--resume")
        self.assertEqual((resumed["status"], resumed["reason"]), ("crashed", "in process 2: died"))

    def test_an_interrupted_run_keeps_what_there_is(self):
        content = config(["slow"], shape={"kv_len": [20, 30, 40]}, sampling=self.SLOW)
        self.assertEqual(self.interrupt(signal.SIGINT, content), 130)
        self.assertTrue(0 < len(self.points()) < 3)
        with open(self.out) as file:
            self.assertIn("read_bytes_per_s", json.load(file)["context"]["ceilings"]["cpu"])
        self.assertEqual(len(self.measure(content, "--resume")), 3)

    # What a run refuses

    def test_bad_configs(self):
        def refused(content, *says):
            self.refused(self.write("config.json", content), "-o", self.out, says=["config.json", *says])

        refused(config(["goood"]), "goood", "good")
        refused(config(["good"], metod=1), "metod")
        refused(config(["good"], shape={"q_heads": 3, "kv_heads": 2}), "q_heads")
        refused(config(["good"], phase="prefill", shape={"q_len": 60}), "kv_len")
        refused(config(["good"], shape={"kv_len": -1}), "kv_len")
        refused(config(["good"], shape={"kv_len": 1 << 62}))
        refused(config(["good"], workload={"name": "gausian"}), "gaussian")
        refused(config(["good"], sampling={"processes": 0}), "processes", "1 to 100")
        self.refused(self.path("none.json"), "-o", self.out, says=["none.json"])

    def test_bad_options(self):
        path = self.write("config.json", config(["good"]))
        self.refused(path, "-o", self.out, "--device", "gpu", says=["--device", "cuda:N", "gpu"])
        self.refused(path, "-o", self.out, "--filter", "[", says=["--filter"])
        self.refused(path, "-o", self.out, "--filter", "no such point", says=["no point"])
        self.refused(path, "-o", self.out, "--tier", "T9", says=["T9"])
        self.refused(path, "-o", self.out, "--jobs", "0", says=["--jobs"])
        self.refused(path, "-o", self.directory.name, says=["folder"])
        self.refused(path, "-o", self.path("no/such/folder.json"), says=["no/such"])
        self.refused(path, "-o", "/proc/record.json", says=["/proc/record.json"])

    def test_bad_inputs(self):
        path = self.write("config.json", config(["good"]))

        def refused(name, data, *says):
            self.refused(path, "-o", self.out, "--input", self.write(name, data), says=[name, *says])

        def tensors(q=(1, 1, 1, 2), kv=(1, 1, 4, 2), dtype="F32", values=None, cut=0):
            counts = [q[0] * q[1] * q[2] * q[3]] + 2 * [kv[0] * kv[1] * kv[2] * kv[3]]
            data = b"".join(struct.pack("<f", x) for x in values or [0.5] * sum(counts))
            header, begin = {}, 0
            for name, shape, count in zip("qkv", (q, kv, kv), counts):
                header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, begin + 4 * count]}
                begin += 4 * count
            text = json.dumps(header).encode()
            return (struct.pack("<Q", len(text)) + text + data)[:-cut or None]

        self.measure(config(["good"]), "--input", self.write("fine.safetensors", tensors()))
        os.remove(self.out)
        refused("cut.safetensors", tensors(cut=5))
        refused("lying.safetensors", struct.pack("<Q", 1 << 60) + b"{}")
        refused("integer.safetensors", tensors(dtype="I32"), "I32")
        refused("nan.safetensors", tensors(values=[1, 2] + 8 * [3] + 7 * [4] + [float("nan")]), "v")
        refused("infinite.safetensors", tensors(values=[1, float("inf")] + 16 * [3]), "q")
        refused("groups.safetensors", tensors(q=(1, 3, 1, 2), kv=(1, 2, 4, 2)), "q_heads")
        refused("short.safetensors", tensors(q=(1, 1, 5, 2)), "kv_len")
        refused("text.safetensors", b"hello")

    def test_an_absent_gpu_is_the_machines_fault(self):
        path = self.write("config.json", config(["good"], backend="cuda"))
        self.run_program("run", path, "-o", self.out, "--device", "cuda:63", expect=3)


class TraceTest(unittest.TestCase):
    """Traces against the rules of Chrome's trace event format, as Perfetto reads it."""

    PHASES = {"M", "X", "C"}

    def events(self, record):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "trace.json")
            subprocess.run([ATTNSCOPE, "trace", os.path.join(SOURCE, record), "-o", path], check=True,
                           capture_output=True)
            with open(path) as file:
                return json.load(file, parse_constant=self.fail)["traceEvents"]  # NaN and Infinity are no JSON

    def check(self, record):
        events = self.events(record)
        named = set()
        tracks = {}
        for event in events:
            self.assertIn(event["ph"], self.PHASES)
            self.assertIsInstance(event["name"], str)
            self.assertIsInstance(event["pid"], int)
            self.assertIsInstance(event["tid"], int)
            if event["ph"] == "M":
                if event["name"] == "thread_name":
                    named.add((event["pid"], event["tid"]))
                continue
            self.assertGreaterEqual(event["ts"], 0)
            if event["ph"] == "C":
                self.assertTrue(all(isinstance(value, (int, float)) for value in event["args"].values()))
            else:
                self.assertGreaterEqual(event["dur"], 0)
                tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], -event["dur"], event["name"]))
        self.assertLessEqual(set(tracks), named, "a track without a name")
        for slices in tracks.values():
            self.check_nesting(sorted(slices))
        return sum(map(len, tracks.values()))

    def check_nesting(self, slices):
        """Slices of one track lie inside or beside each other: one that overlaps without nesting is dropped."""
        rounding = 1e-6
        open_ends = []
        for begin, minus_duration, name in slices:
            while open_ends and open_ends[-1] <= begin + rounding:
                open_ends.pop()
            end = begin - minus_duration
            self.assertTrue(not open_ends or end <= open_ends[-1] + rounding, name)
            open_ends.append(end)

    def test_kernels_of_a_gpu(self):
        self.assertGreater(self.check(*glob.glob("reports/published/h200-*/decode_context.json", root_dir=SOURCE)), 300)

    def test_stages_of_a_cpu(self):
        self.assertGreater(self.check(*glob.glob("reports/published/xeon-*/decode_budget.json", root_dir=SOURCE)), 35)

    def test_every_member_of_a_record(self):
        self.assertEqual(self.check("tests/record/golden/v2_full.json"), 4)


class ListTest(unittest.TestCase):
    def listed(self, what, program=ATTNSCOPE):
        done = subprocess.run([program, "list", what, "--json"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def test_methods_are_complete(self):
        for method in self.listed("methods"):
            self.assertEqual(set(method), {"name", "title", "phases", "backends", "trains", "reconstructed", "knob",
                                           "parameters", "paper"})
            self.assertEqual(method["backends"][0], "reference")
            for parameter in method["parameters"]:
                self.assertEqual(set(parameter), {"name", "type", "default", "range", "help"})

    def test_other_subjects(self):
        self.assertIn("gaussian", [w["name"] for w in self.listed("workloads")])
        self.assertIn("quickstart", [c["name"] for c in self.listed("configs")])
        self.assertEqual(self.listed("devices")[0]["device"], "cpu")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
