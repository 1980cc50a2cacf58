//! The report pages in a real browser: Debian's chromium lays them out, nothing is fetched, nothing overflows a phone.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Appended to the page: writes what the browser made of it into the document, where `--dump-dom` shows it.
const PROBE: &str = "<script>addEventListener('load', () => {\
    document.body.dataset.probe = JSON.stringify({\
        svgs: [...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 100).length,\
        fetched: performance.getEntriesByType('resource').length, overflow: document.documentElement.scrollWidth - innerWidth});\
    });</script>";

fn chromium() -> Command {
    let found = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].iter().find(|p| Path::new(p).exists());
    let mut command = Command::new(found.expect("no chromium; install it with: scripts/setup --browser"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000"]);
    command
}

fn anser() -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_anser"));
    c.current_dir(env!("CARGO_MANIFEST_DIR"));
    c
}

/// A random checkpoint in `folder`.
fn model(folder: &Path, vocab: &str) -> PathBuf {
    let model = folder.join("tiny.safetensors");
    let shape = ["random", "--layers", "2", "--embd", "64", "--head-size", "32", "--vocab", vocab, "-o"];
    assert!(anser().args(shape).arg(&model).status().expect("anser runs").success());
    model
}

/// The page stands alone and has at least `pictures` to see at both widths.
fn renders(page: &Path, pictures: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(!page.contains("<script") && !page.contains("src=\"http"), "the page must stand alone");
    let probed = folder.path().join("probed.html");
    std::fs::write(&probed, page.replace("</body>", &format!("{PROBE}</body>"))).expect("a copy");
    for width in ["1200", "500"] {
        let profile = folder.path().join(format!("profile-{width}"));
        let output = chromium()
            .arg(format!("--window-size={width},2000"))
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("--dump-dom")
            .arg(format!("file://{}", probed.display()))
            .output()
            .expect("chromium runs");
        let dom = String::from_utf8_lossy(&output.stdout);
        let probe = dom.split("data-probe=\"").nth(1).and_then(|s| s.split('"').next()).unwrap_or_else(|| {
            panic!("no probe in the page at width {width}: {}", String::from_utf8_lossy(&output.stderr))
        });
        let seen: serde_json::Value = serde_json::from_str(&probe.replace("&quot;", "\"")).expect("the probe is JSON");
        assert!(seen["svgs"].as_u64() >= Some(pictures), "pictures drawn at width {width}: {seen}");
        assert_eq!(seen["fetched"].as_u64(), Some(0), "the page fetched something: {seen}");
        assert!(seen["overflow"].as_i64() <= Some(0), "wider than the window at {width}: {seen}");
    }
}

#[test]
fn the_latency_page_renders_at_desk_and_phone_width() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, report) = (model(folder.path(), "64"), folder.path().join("report"));
    let made = anser().args(["report", "latency"]).arg(&model).args(["--config", "nano", "-o"]).arg(&report).status();
    assert!(made.expect("anser runs").success());
    renders(&report.join("index.html"), 4);
}

#[test]
fn the_accuracy_page_renders_at_desk_and_phone_width() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, page) = (model(folder.path(), "256"), folder.path().join("page.html"));
    let made = anser().args(["report", "accuracy"]).arg(&model).args(["--max-tokens", "300", "-o"]).arg(&page).output();
    assert!(made.expect("anser runs").status.success());
    renders(&page, 7);
}

/// What a browser makes of `page` in a frame `width` wide: narrower than any window chromium opens.
fn in_a_frame(page: &str, width: u32) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = page.replace('&', "&amp;").replace('"', "&quot;");
    // a frame made from text belongs to the page around it, which may look inside
    let probe = "addEventListener('load', () => {\
        const frame = document.querySelector('iframe'), inner = frame.contentDocument, root = inner.documentElement;\
        const links = [...inner.querySelectorAll('a[href]')].map(a => a.getAttribute('href'));\
        const lost = links.filter(h => h[0] == '#' && !inner.getElementById(h.slice(1)));\
        document.body.dataset.probe = JSON.stringify({errors: window.errors, links, lost,\
            overflow: root.scrollWidth - root.clientWidth,\
            svgs: [...inner.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 100).length});});";
    let around = format!(
        "<!DOCTYPE html><body style=\"margin:0\"><script>window.errors=[];addEventListener('error', e => errors.push(String(e.message)));{probe}</script>\
         <iframe style=\"border:0;width:{width}px;height:900px\" srcdoc=\"{source}\"></iframe></body>"
    );
    let file = folder.path().join("frame.html");
    std::fs::write(&file, around).expect("a page");
    let output = chromium()
        .arg("--window-size=1400,1000")
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("chromium runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    let probe = dom.split("data-probe=\"").nth(1).and_then(|s| s.split('"').next());
    let probe = probe.unwrap_or_else(|| panic!("no probe: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&probe.replace("&quot;", "\"")).expect("the probe is JSON")
}

#[test]
fn the_page_of_everything_renders_and_its_links_lead_somewhere() {
    if !["/usr/bin/chromium", "/usr/bin/chromium-browser"].iter().any(|p| Path::new(p).exists()) {
        eprintln!("skipped: no chromium; install it with: scripts/setup --browser");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, report) = (model(folder.path(), "256"), folder.path().join("report"));
    let made = anser()
        .args(["report", "all"])
        .arg(&model)
        .args(["--only", "latency,accuracy", "--max-tokens", "300", "-o"])
        .arg(&report)
        .output()
        .expect("anser runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let page = std::fs::read_to_string(report.join("index.html")).expect("a page");
    assert!(!page.contains("<script") && !page.contains("src=\"http"), "the page must stand alone");
    for width in [390, 1280] {
        let seen = in_a_frame(&page, width);
        assert_eq!(seen["errors"], serde_json::json!([]), "at {width}: {seen}");
        assert_eq!(seen["lost"], serde_json::json!([]), "at {width}: places that are not on the page");
        assert!(seen["overflow"].as_i64() <= Some(0), "wider than the window at {width}: {seen}");
        assert!(seen["svgs"].as_u64() >= Some(6), "pictures drawn at {width}: {seen}");
        let links: Vec<&str> = seen["links"].as_array().expect("links").iter().filter_map(|l| l.as_str()).collect();
        for file in links.iter().filter(|l| !l.starts_with('#') && !l.starts_with("https://")) {
            assert!(report.join(file).is_file(), "{file} is not beside the page");
        }
        for file in ["latency.json", "accuracy.json", "all.json"] {
            assert!(links.contains(&file), "no link to {file} at {width}");
        }
    }
}
