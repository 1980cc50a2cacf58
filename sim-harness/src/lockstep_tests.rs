use super::*;

fn names() -> Arc<OpNames> {
    let name = |layer, name: &str| OpName { layer, name: name.into(), kind: "test".into() };
    let mut names = OpNames::default();
    names.0[Unit::Vec as usize] = vec![name(0, "ln1.n"), name(0, "ln1.h"), name(3, "att.kk")];
    names.0[Unit::Mat as usize] = vec![name(0, "att.r"), name(1, "att.k")];
    Arc::new(names)
}

/// Two vec ops (6 and 4 elements in words of 4) and a matrix of 3 rows.
fn expected() -> ExpectedToken {
    let mut e = ExpectedToken::new(&group_lanes(4, 24));
    e.stream(Group::Vec).push(0, 0, [1, 2, 3, 4, 5, 6]);
    e.stream(Group::Vec).push(2, 0, [-1, -2, -3, -4]);
    e.stream(Group::Mat).push(1, 0, [10, 20, 30]);
    e
}

type Event = (Group, u32, u32, Vec<i32>);

fn good() -> Vec<Event> {
    vec![
        (Group::Vec, 0, 0, vec![1, 2, 3, 4]),
        (Group::Mat, 1, 0, vec![10]),
        (Group::Vec, 0, 1, vec![5, 6, 0, 0]),
        (Group::Mat, 1, 1, vec![20]),
        (Group::Vec, 2, 0, vec![-1, -2, -3, -4]),
        (Group::Mat, 1, 2, vec![30]),
    ]
}

fn run(events: &[Event]) -> Outcome {
    let expected = expected();
    let mut l = Lockstep::new(names());
    l.start(7);
    for (cycle, (group, op, index, values)) in events.iter().enumerate() {
        l.event(&expected, *group, *op, *index, values, 100 + cycle as u64);
    }
    l.finish(&expected, 999)
}

fn op(place: &Place) -> (&str, usize, &str, usize) {
    match place {
        Place::Op { group, layer, name, element, .. } => (group, *layer, name, *element),
        other => panic!("{other:?}"),
    }
}

#[test]
fn equal_events_match_and_are_counted_without_padding() {
    let out = run(&good());
    assert_eq!((out.mismatches, out.ops_checked, out.values_checked), (0, 3, 13));
    assert!(out.first.is_none());
}

#[test]
fn a_wrong_value_is_named_and_the_walk_goes_on() {
    let mut events = good();
    events[2].3[1] = 66;
    events[5].3[0] = 31;
    let out = run(&events);
    assert_eq!((out.mismatches, out.ops_checked), (2, 3));
    let first = out.first.unwrap();
    assert_eq!(op(&first.place), ("vec", 0, "ln1.n", 5));
    assert_eq!((first.expected, first.got, first.cycle, first.token), (Some(6), Some(66), 102, 7));
    assert_eq!(first.to_string(), "token 7, layer 0, ln1.n (vec op 0), element 5: expected 6, got 66 (cycle 102)");
}

#[test]
fn a_dead_lane_that_is_not_zero_is_a_mismatch() {
    let mut events = good();
    events[2].3[3] = 1;
    let first = run(&events).first.unwrap();
    assert_eq!((op(&first.place).3, first.expected), (7, Some(0)));
}

#[test]
fn a_missing_event_in_the_middle_is_an_index_and_at_the_end_is_missing() {
    let mut events = good();
    events.remove(3);
    let out = run(&events);
    let first = out.first.unwrap();
    assert_eq!(first.fault, Fault::Index { got: 2, expected: 1 });
    assert_eq!(op(&first.place), ("mat", 1, "att.k", 1));

    let mut events = good();
    events.pop();
    let out = run(&events);
    let first = out.first.unwrap();
    assert_eq!((first.fault, first.expected, first.cycle), (Fault::Missing, Some(30), 999));
    assert_eq!((op(&first.place).3, out.mismatches), (2, 1));
}

#[test]
fn a_wrong_op_loses_the_group_once() {
    let mut events = good();
    events[2].1 = 1;
    events[4].3[0] = 9; // not judged any more
    let out = run(&events);
    let first = out.first.unwrap();
    assert_eq!((first.fault, out.mismatches), (Fault::Op { got: 1 }, 1));
    assert_eq!(op(&first.place), ("vec", 0, "ln1.n", 4));
}

#[test]
fn an_event_too_many_is_extra() {
    let mut events = good();
    events.push((Group::WkvY, 0, 0, vec![5]));
    let out = run(&events);
    assert_eq!((out.mismatches, out.first.unwrap().fault), (1, Fault::Extra));
}

#[test]
fn unnamed_events_must_come_but_may_hold_anything() {
    let mut expected = expected();
    expected.stream(Group::Mat).push_unnamed(2, 5, 2);
    expected.stream(Group::Mat).push(3, 0, []);
    let run = |rows: &[u32]| {
        let mut l = Lockstep::new(names());
        l.start(0);
        good().iter().for_each(|(g, op, i, v)| l.event(&expected, *g, *op, *i, v, 0));
        rows.iter().for_each(|row| l.event(&expected, Group::Mat, 2, *row, &[77], 0));
        l.finish(&expected, 0)
    };
    let out = run(&[5, 6]);
    assert_eq!((out.mismatches, out.ops_checked, out.values_checked), (0, 4, 13));
    assert_eq!(run(&[5]).first.unwrap().fault, Fault::Missing);
    assert_eq!(run(&[5, 7]).first.unwrap().fault, Fault::Index { got: 7, expected: 6 });
}

#[test]
fn scalars_of_the_token_are_compared() {
    let mut l = Lockstep::new(names());
    l.start(0);
    l.scalar("saturations of mat", 0, 5, 5, 1);
    l.scalar("logit", 12, -3, 3, 2);
    let expected = ExpectedToken::new(&group_lanes(4, 24));
    let out = l.finish(&expected, 3);
    assert_eq!((out.mismatches, out.values_checked), (1, 2));
    assert_eq!(out.first.unwrap().to_string(), "token 0, logit 12: expected -3, got 3 (cycle 2)");
}

#[test]
fn what_is_awaited_is_said_by_name() {
    let expected = expected();
    let mut l = Lockstep::new(names());
    l.start(0);
    l.event(&expected, Group::Vec, 0, 0, &[1, 2, 3, 4], 0);
    assert_eq!(l.awaited(&expected), ["vec event 1 of op 0 ln1.n (layer 0)", "mat event 0 of op 1 att.k (layer 1)"]);
    assert!(!l.complete(&expected));
}
