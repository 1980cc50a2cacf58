"""The slowest paths of a placed and routed design, from the delays `nextpnr --sdf` writes (`anser fpga build` leaves `design.sdf`).

    python3 paths.py design.sdf [N]

nextpnr's own report names one path a clock; this one names the N slowest groups of alike paths, with the time at every step that takes
0.4 ns or more, and counts the ends beyond 12.5 ns (80 MHz). Longest delays of the file, one clock, setup only. Standard library only.
"""
import collections
import re
import sys

NEVER = -(10**9)


def longest(triple):
    """(min:typ:max) in ps."""
    return int(triple.strip("()").split(":")[2])


class Design:
    def __init__(self, path):
        self.into = collections.defaultdict(list)  # pin: pins it hangs on, with the delay from each
        self.at, self.before, self.setup = {}, {}, {}
        instance = ""
        with open(path) as file:
            for line in file:
                line = line.strip().replace("\\", "")
                if line.startswith("(INSTANCE"):
                    instance = line[len("(INSTANCE") :].strip(" ()")
                elif line.startswith("(INTERCONNECT"):
                    _, source, sink, delay = line.split()[:4]
                    self.into[sink].append((source, longest(delay)))
                elif line.startswith("(IOPATH"):
                    _, source, sink, delay = line.split()[:4]
                    self.arc(instance, source, sink, longest(delay))
                elif line.startswith("(SETUPHOLD"):
                    found = re.match(r"\(SETUPHOLD \(\w+ (\S+)\) \(\w+ \S+\) (\([^)]*\))", line)
                    if found:
                        pin = f"{instance}/{found[1]}"
                        self.setup[pin] = max(self.setup.get(pin, 0), longest(found[2]))

    def arc(self, instance, source, sink, delay):
        sink = f"{instance}/{sink}"
        if not source.startswith("CLK"):
            self.into[sink].append((f"{instance}/{source}", delay))
        elif delay > self.at.get(sink, NEVER):
            self.at[sink], self.before[sink] = delay, None

    def arrival(self, pin):
        stack = [pin]
        while stack:
            now = stack[-1]
            waiting = [source for source, _ in self.into.get(now, []) if source not in self.at]
            if now not in self.at and waiting and len(stack) < 20_000:
                stack.extend(waiting)
                continue
            stack.pop()
            if now not in self.at:
                times = [(self.at.get(source, NEVER) + delay, source) for source, delay in self.into.get(now, [])]
                self.at[now], self.before[now] = max(times, default=(NEVER, None))
        return self.at[pin]

    def path(self, pin):
        pins = [pin]
        while self.before.get(pins[-1]):
            pins.append(self.before[pins[-1]])
        return pins[::-1]


def plain(pin):
    return re.sub(r"_(LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_FF)_.*/", "~/", pin)


def main():
    design = Design(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    ends = sorted(((design.arrival(pin) + setup, pin) for pin, setup in design.setup.items()), reverse=True)
    groups = {}
    for time, pin in ends[:5000]:
        path = design.path(pin)
        alike = tuple(re.sub(r"\d+", "#", plain(p)) for p in (path[0], pin))
        groups.setdefault(alike, [time, path, 0])[2] += 1
    print(f"{sum(time > 12_500 for time, _ in ends)} of {len(ends)} ends beyond 12.5 ns")
    for time, path, count in list(groups.values())[:wanted]:
        print(f"{time / 1000:.2f} ns, {count} like {plain(path[0])} to {plain(path[-1])}")
        last = NEVER
        for pin in path[1:]:
            if design.at[pin] - last > 400:
                print(f"    {design.at[pin] / 1000:6.2f} ns {plain(pin)}")
            last = design.at[pin]


if __name__ == "__main__":
    main()
