//! `scripts/setup` on a system without Debian's packages: it names what is missing instead of failing obscurely.

use super::{text, Scratch};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::process::Command;

/// Exit status and messages on a machine that says it is `system` and has neither apt-get nor any tool.
fn on(system: &str) -> (Option<i32>, String) {
    let scratch = Scratch::new();
    for (name, place) in [("bash", "/bin/bash"), ("dirname", "/usr/bin/dirname")] {
        symlink(place, scratch.at(name)).expect("a link");
    }
    let uname = scratch.file("uname", format!("#!/bin/sh\necho {system}\n"));
    std::fs::set_permissions(uname, PermissionsExt::from_mode(0o755)).expect("executable");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/setup");
    let out = Command::new("/bin/bash").arg(script).env("PATH", scratch.path()).output().expect("the script starts");
    (out.status.code(), text(&out.stderr))
}

#[test]
fn macos_gets_the_names_of_homebrew() {
    let (code, said) = on("Darwin");
    assert_eq!(code, Some(2), "{said}");
    for word in
        ["xcode-select --install", "brew install python", "brew install icarus-verilog", "ANSER_STA", "run this again"]
    {
        assert!(said.contains(word), "`{word}` expected in\n{said}");
    }
}

#[test]
fn another_system_gets_the_names_of_the_programs() {
    let (code, said) = on("Linux");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("python3 is missing") && said.contains("C++ compiler") && !said.contains("brew"), "{said}");
}
