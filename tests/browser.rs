//! The report page in a real browser: Debian's chromium lays it out, nothing is fetched, nothing overflows a phone.

use std::path::Path;
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

#[test]
fn the_latency_page_renders_at_desk_and_phone_width() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report");
    let model = folder.path().join("tiny.safetensors");
    let anser = || {
        let mut c = Command::new(env!("CARGO_BIN_EXE_anser"));
        c.current_dir(env!("CARGO_MANIFEST_DIR"));
        c
    };
    let random = anser()
        .args(["random", "--layers", "2", "--embd", "64", "--head-size", "32", "--vocab", "64", "-o"])
        .arg(&model)
        .status();
    assert!(random.expect("anser runs").success());
    let made = anser().args(["report", "latency"]).arg(&model).args(["--config", "nano", "-o"]).arg(&report).status();
    assert!(made.expect("anser runs").success());

    let page = std::fs::read_to_string(report.join("index.html")).expect("a page");
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
        assert!(seen["svgs"].as_u64() >= Some(4), "pictures drawn at width {width}: {seen}");
        assert_eq!(seen["fetched"].as_u64(), Some(0), "the page fetched something: {seen}");
        assert!(seen["overflow"].as_i64() <= Some(0), "wider than the window at {width}: {seen}");
    }
}
