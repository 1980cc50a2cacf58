//! `report tracking`: the project's own network, and what is refused.

use super::{done, has, json, list, refused, Scratch};

#[test]
fn floats_and_integers_side_by_side() {
    let scratch = Scratch::new();
    let page = scratch.at("tracking.html");
    let args =
        ["report", "tracking", "--lengths", "8,2", "--sequences", "2", "--weights", "w8", "--state-bits", "16,24"];
    let got = json(&[&args[..], &["-o", &page]].concat());
    has(&got, "model group order ticks lengths sequences results parts");
    assert_eq!((got["group"].as_str(), list(&got, "lengths")), (Some("A5"), vec![2.0, 8.0]));
    let results = got["results"].as_array().expect("a list");
    assert_eq!(results.len(), 3, "float and two widths");
    assert!(results.iter().all(|r| list(r, "accuracy") == [1.0, 1.0]), "{got}");
    let html = std::fs::read_to_string(&page).expect("the page");
    assert!(html.contains("State tracking: the group A5") && html.contains("100 %"));
    let text = done(&args);
    assert!(
        text.contains("w8/16") && text.contains("stays within 0.1 points of float down to a state of 16 bits"),
        "{text}"
    );
}

#[test]
fn what_was_not_trained_for_it_is_refused() {
    let scratch = Scratch::new();
    let small = scratch.small();
    refused(&["report", "tracking", &small], &["for which group it was trained", "--group"]);
    refused(&["report", "tracking", &small, "--group", "Q8"], &["group Q8", "S3, A4, S4, A5, S5"]);
    refused(&["report", "tracking", &small, "--group", "A5", "--ticks", "999"], &["needs 1058 tokens", "has 256"]);
    refused(&["report", "tracking", "--lengths", "0"], &["--lengths"]);
    refused(&["report", "tracking", "--state-bits", "12"], &["--state-bits"]);
}
