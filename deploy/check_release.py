"""Checks what `make release` built: check_release.py DIST VERSION COMMIT

Unpacks the Debian package, and compares files, owners, modes, fields and scripts with what is expected. Compares the
debug file with the binary, the SBOM with Cargo.lock, and the checksums with the files. Prints every difference.
Needs dpkg-deb, readelf and systemd-analyze. Installs nothing.
"""

import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

# Every file of the package, with its mode. `*` stands for the files of a folder.
FILES = {
    "/usr/bin/tipoff": "755",
    "/etc/tipoff/tipoff.toml": "644",
    "/usr/lib/systemd/system/tipoff.service": "644",
    "/usr/lib/sysusers.d/tipoff.conf": "644",
    "/usr/lib/tmpfiles.d/tipoff.conf": "644",
    "/usr/share/doc/tipoff/copyright": "644",
    "/usr/share/doc/tipoff/README.md": "644",
    "/usr/share/doc/tipoff/CHANGELOG.md": "644",
    "/usr/share/doc/tipoff/SECURITY.md": "644",
    "/usr/share/doc/tipoff/operations.md": "644",
    "/usr/share/doc/tipoff/configuration.md": "644",
    "/usr/share/doc/tipoff/*.md": "644",
    "/usr/share/doc/tipoff/output.schema.json": "644",
    "/usr/share/doc/tipoff/examples/*": "644",
    "/usr/share/doc/tipoff/examples/docker/Dockerfile": "644",
    "/usr/share/doc/tipoff/examples/docker/compose.yaml": "644",
}
# Written by commands of the binary, if it has them.
GENERATED = {
    "/usr/share/bash-completion/completions/tipoff": "644",
    "/usr/share/zsh/vendor-completions/_tipoff": "644",
    "/usr/share/fish/vendor_completions.d/tipoff.fish": "644",
    "/usr/share/man/man1/*.1.gz": "644",
}
CONFFILES = ["/etc/tipoff/tipoff.toml"]
SMALLEST_BYTES, LARGEST_BYTES = 1_000_000, 100_000_000

problems = []


def expect(holds, problem):
    if not holds:
        problems.append(problem)


def run(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True)
    expect(done.returncode == status, f"{command}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check_fields(package, version):
    for field, pattern in {
        "Package": "tipoff",
        "Version": re.escape(version) + "-1",
        "Architecture": "amd64",
        "Maintainer": r".+ <.+@.+>",
        "Section": "net",
        "Installed-Size": r"\d+",
        "Depends": r"(?=.*libc6 \(>= [\d.]+\))(?=.*systemd).+",
        "Description": r".{20,80}\n .+",
    }.items():
        value = run("dpkg-deb", "--field", package, field).strip()
        expect(re.fullmatch(pattern, value, re.DOTALL), f"{field}: {value!r}")


def check_files(package):
    found = []
    for line in run("dpkg-deb", "--contents", package).splitlines():
        mode, owner, _, _, _, path = line.split(maxsplit=5)
        path = path.removeprefix(".")
        expect(owner in ["root/root", "0/0"], f"{path} belongs to {owner}")
        if mode.startswith("d"):
            expect(mode == "drwxr-xr-x", f"{path} has {mode}")
            continue
        found.append(path)
        expected = FILES | GENERATED
        names = [name for name in expected if fnmatch.fnmatch(path, name)]
        expect(names, f"{path} is not expected")
        if names:
            wanted = {"755": "-rwxr-xr-x", "644": "-rw-r--r--"}[expected[names[0]]]
            expect(mode == wanted, f"{path} has {mode}")
    for name in FILES:
        expect(fnmatch.filter(found, name), f"{name} is missing")
    return found


def check_binary(root, version, commit):
    binary = root / "usr/bin/tipoff"
    printed = run(str(binary), "--version").strip()
    expect(printed == f"tipoff {version} ({commit})", f"--version prints {printed!r}")
    size = binary.stat().st_size
    expect(SMALLEST_BYTES < size < LARGEST_BYTES, f"the binary has {size} bytes")
    sections = run("readelf", "--sections", "--wide", str(binary))
    expect(".gnu_debuglink" in sections, "the binary does not name its debug file")
    for section in [".debug_info", ".symtab"]:
        expect(section not in sections, f"the binary is not stripped of {section}")


def check_service(root):
    # With the unit's own paths, of the unpacked package.
    unit = (root / "usr/lib/systemd/system/tipoff.service").read_text()
    local = root / "tipoff.service"
    local.write_text(unit.replace("/usr/bin/tipoff", str(root / "usr/bin/tipoff")))
    verified = run("systemd-analyze", "verify", "--man=no", str(local))
    expect(verified == "", f"the unit: {verified}")
    # The configuration is right but for the identity, which each node has of its own.
    config = str(root / "etc/tipoff/tipoff.toml")
    checked = run(str(root / "usr/bin/tipoff"), "serve", "--config", config, "--check-config", status=2)
    expect("/etc/tipoff/server/ca.pem" in checked, f"--check-config: {checked}")


def check_scripts(control):
    scripts = {name: (control / name).read_text() for name in ["postinst", "prerm", "postrm"]}
    for name, script in scripts.items():
        run("sh", "-n", str(control / name))
        expect(script.startswith("#!/bin/sh\nset -e"), f"{name} does not stop at an error")
    users, folders = (scripts["postinst"].find(f"systemd-{name}") for name in ["sysusers", "tmpfiles"])
    expect(0 <= users < folders, "postinst does not create the user, and then its data folder")
    # An operator enables and starts it, once its identity is there. An upgrade restarts it if it runs.
    expect("if deb-systemd-helper debian-installed" in scripts["postinst"], "postinst enables the unit")
    expect("deb-systemd-invoke start" not in scripts["postinst"], "postinst starts the unit")
    expect("deb-systemd-invoke try-restart" in scripts["postinst"], "postinst does not restart the unit")
    conffiles = (control / "conffiles").read_text().split()
    expect(conffiles == CONFFILES, f"conffiles: {conffiles}")


def check_debug_file(dist):
    binary, debug = (run("readelf", "--notes", str(dist / name)) for name in ["tipoff", "tipoff.debug"])
    ids = [re.findall(r"Build ID: (\w+)", notes) for notes in (binary, debug)]
    expect(ids[0] and ids[0] == ids[1], f"the build ids of the binary and its debug file: {ids}")
    sections = run("readelf", "--sections", "--wide", str(dist / "tipoff.debug"))
    expect(".debug_line" in sections, "the debug file has no line numbers")


def check_sbom(sbom):
    text = sbom.read_text()
    expect(str(pathlib.Path.cwd()) not in text, "the SBOM names a folder of this machine")
    document = json.loads(text)
    components = {(one["name"], one["version"]) for one in document["components"]}
    locked = {(one["name"], one["version"]) for one in tomllib.loads(open("Cargo.lock").read())["package"]}
    expect(components <= locked, f"not in Cargo.lock: {components - locked}")
    manifest = tomllib.loads(open("Cargo.toml").read())["dependencies"]
    direct = {one.get("package", name) if isinstance(one, dict) else name for name, one in manifest.items()}
    missing = direct - {name for name, _ in components}
    expect(not missing, f"not in the SBOM: {missing}")
    unlicensed = [one["name"] for one in document["components"] if not one.get("licenses")]
    expect(not unlicensed, f"without a licence in the SBOM: {unlicensed}")


def check_checksums(dist):
    listed = {line.split()[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    built = {path.name for path in dist.iterdir()} - {"SHA256SUMS"}
    expect(listed == built, f"SHA256SUMS lists {listed}, but dist has {built}")
    checked = subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=dist, capture_output=True)
    expect(checked.returncode == 0, f"SHA256SUMS: {checked.stdout} {checked.stderr}")


def main(dist, version, commit):
    dist = pathlib.Path(dist)
    package = str(dist / f"tipoff_{version}-1_amd64.deb")
    check_fields(package, version)
    found = check_files(package)
    with tempfile.TemporaryDirectory() as folder:
        root, control = pathlib.Path(folder, "root"), pathlib.Path(folder, "control")
        run("dpkg-deb", "--extract", package, str(root))
        run("dpkg-deb", "--control", package, str(control))
        check_binary(root, version, commit)
        check_service(root)
        check_scripts(control)
    check_debug_file(dist)
    check_sbom(dist / "tipoff.cdx.json")
    check_checksums(dist)
    for problem in problems:
        print(f"{dist}: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{dist}: as expected; the package has {len(found)} files")


main(*sys.argv[1:])
