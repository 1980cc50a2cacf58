//! The documents are checked, not trusted: links lead somewhere, paths exist, the README stays one page.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The pages a reader is led to. Dated runs are left out: they name the paths of their day.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).expect("docs");
    let mut pages: Vec<_> = docs.map(|e| e.expect("an entry of docs").path()).collect();
    pages.retain(|p| p.extension().is_some_and(|e| e == "md"));
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "models/README.md"].map(|p| root().join(p)));
    pages.sort();
    pages
}

/// Targets of `[text](target)` outside code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.lines().filter(|l| !l.starts_with("    "));
    prose
        .flat_map(|l| l.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

/// The anchor of a heading, as Markdown viewers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> Vec<String> {
    text.lines().filter(|l| l.starts_with('#')).map(|l| anchor(l.trim_start_matches('#'))).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = vec![];
    for page in pages() {
        let text = read(&page);
        for target in links(&text).into_iter().filter(|t| !t.contains("://")) {
            let (file, part) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            let found = match part {
                "" => file.exists(),
                part => file.is_file() && anchors(&read(&file)).iter().any(|a| a == part),
            };
            if !found {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_path_between_backticks_exists() {
    let rooms: Vec<_> = std::fs::read_dir(root()).expect("the repository").filter_map(|e| e.ok()).collect();
    let rooms: Vec<_> = rooms.iter().filter_map(|e| e.file_name().into_string().ok()).collect();
    let made = ["build", "target", ".anser"]; // what commands leave
    let is_path = |w: &str| w.contains('/') && !w.contains([' ', '\n', '<', '*', '{']) && !w.starts_with("--");
    let mut missing = vec![];
    for page in pages() {
        for path in read(&page).split('`').skip(1).step_by(2).filter(|w| is_path(w)) {
            let room = path.split('/').next().unwrap_or_default();
            let ours = rooms.iter().any(|r| r == room) && !made.contains(&room);
            if ours && !root().join(path.trim_end_matches('/')).exists() {
                missing.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "paths that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn every_page_of_docs_is_in_the_index() {
    let index = read(&root().join("docs/README.md"));
    for page in pages().iter().filter(|p| p.parent() == Some(&root().join("docs"))) {
        let name = page.file_name().and_then(|n| n.to_str()).expect("a name");
        assert!(name == "README.md" || index.contains(&format!("({name}")), "docs/README.md does not name {name}");
    }
}

#[test]
fn the_readme_is_one_page() {
    let words = read(&root().join("README.md")).split_whitespace().count();
    assert!(words <= 900, "README.md has {words} words, at most 900 are wanted; details belong into docs/");
}

/// What a diff of docs/extending.md leaves or takes away stands in the file that it is about, so the exercises still apply.
#[test]
fn the_exercises_are_about_the_code_as_it_is() {
    let text = read(&root().join("docs/extending.md"));
    let mut lines = 0;
    for diff in text.split("```diff\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(|(diff, _)| diff)) {
        let mut file = (String::new(), String::new());
        for line in diff.lines() {
            match line.split_at_checked(1) {
                None | Some(("+", _)) => {}
                Some((" " | "-", old)) if old.contains('…') => {}
                Some((" " | "-", old)) => {
                    lines += 1;
                    assert!(file.1.lines().any(|l| l == old), "docs/extending.md: {} has no line\n{old}", file.0);
                }
                Some(_) => file = (line.to_string(), read(&root().join(line))),
            }
        }
    }
    assert!(lines > 10, "{lines} lines of diffs in docs/extending.md");
}
