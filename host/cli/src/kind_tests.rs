//! What is one of a few words is refused before a host is asked, with those that there are.

use clap::Parser;

use super::Cli;

#[test]
fn a_kind_that_there_is_not_is_refused_where_it_is_typed() {
    for (line, known) in [
        ("samsyn audit changes --kind nonsense", "sources-moved"),
        ("samsyn audit changes --kind source-moved", "sources-moved"),
        ("samsyn parked list --kind nonsense", "timeout"),
        ("samsyn parked retry --kind tarp", "trap"),
        ("samsyn parked skip --kind nonsense --reason x", "limit"),
        ("samsyn field define size --type nonsense", "timestamp"),
        ("samsyn field define size --type string", "text"),
        ("samsyn field define size --class nonsense", "sensitive"),
        ("samsyn field define size --compare nonsense", "digits"),
        ("samsyn identifier define phone --normaliser nonsense --strength 1", "exact"),
        ("samsyn registry graph --format nonsense", "mermaid"),
        ("samsyn registry check --fail-on nonsense", "warning"),
    ] {
        match Cli::try_parse_from(line.split(' ')) {
            Err(error) => assert!(error.to_string().contains(known), "{line}: {error}"),
            Ok(cli) => panic!("{line}: {cli:?}"),
        }
    }
    for line in [
        "samsyn audit changes --kind sources-moved",
        "samsyn audit changes --kind source-assigned",
        "samsyn parked list --kind trap",
        "samsyn parked skip --kind limit --reason x",
        "samsyn field define size --type texts --class personal",
    ] {
        assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
    }
}
