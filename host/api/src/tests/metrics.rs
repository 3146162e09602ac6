//! The text for Prometheus, all of it.

use super::world::World;

#[test]
fn every_counter_says_whether_it_begins_with_the_process() {
    let world = World::new();
    let text = world.get("/metrics").text;
    let kinds: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert!(kinds.len() > 20, "{text}");
    for (name, kind) in kinds {
        let help =
            text.lines().find(|line| line.starts_with(&format!("# HELP {name} "))).expect("it has help");
        let kept = help.ends_with(", kept over restarts.");
        let is_kept = matches!(name, "samsyn_follower_missed_records_total" | "samsyn_field_changes_total");
        assert_eq!(kept, is_kept, "{help}");
        assert_eq!(help.ends_with(", since the process started."), kind != "gauge" && !kept, "{help}");
    }
}
