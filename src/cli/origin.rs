//! Where a record comes from: the command, the time, the sources.

use records::shared::Origin;

/// The origin of a record that `command` makes now.
pub fn origin(command: String) -> Origin {
    Origin { command, date: now(), git_revision: git_revision() }
}

/// The current time in UTC, RFC 3339, to the second.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// Revision of the project's sources, if they are in a git checkout.
pub fn git_revision() -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short=12", "HEAD"])
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let revision = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !revision.is_empty()).then_some(revision)
}
