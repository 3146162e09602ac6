//! The long run: every kind of break on fresh data directories, until it is stopped or its time is
//! over. The first violation ends it, and keeps the data.

use std::time::{Duration, Instant};

use crate::dice::{Dice, seed};
use crate::{failpoints, kills, view_damage};

/// Aborts in a row before something else is tried.
const ABORTS_A_TURN: usize = 12;
/// View damages in a row.
const DAMAGES_A_TURN: u64 = 6;

/// `make torture ARGS="--seed 7 --minutes 60"`.
struct Arguments {
    seed: u64,
    until: Option<Instant>,
}

impl Arguments {
    fn read() -> Arguments {
        let text = std::env::var("TORTURE_ARGS").unwrap_or_default();
        let mut words = text.split_whitespace();
        let mut arguments = Arguments { seed: seed(), until: None };
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            match (word, number) {
                ("--seed", Some(seed)) => arguments.seed = seed,
                ("--minutes", Some(minutes)) => {
                    arguments.until = Some(Instant::now() + Duration::from_secs(60 * minutes));
                }
                _ => panic!("ARGS={text}: write --seed NUMBER and --minutes NUMBER, either or both"),
            }
        }
        arguments
    }
}

#[test]
#[ignore = "runs until it is stopped: make torture"]
fn until_stopped() {
    let Arguments { seed, until } = Arguments::read();
    println!("torture: seed {seed}");
    let started = Instant::now();
    let goes_on = || until.is_none_or(|until| Instant::now() < until);
    std::thread::scope(|scope| {
        for arena in 0..2 {
            let mut dice = Dice::new(seed.wrapping_add(arena));
            scope.spawn(move || {
                let (mut killed, mut damaged) = (kills::Tally::default(), view_damage::Seen::default());
                let mut aborted = failpoints::Seen::default();
                while goes_on() {
                    kills::live(dice.split(), &mut killed, |_| goes_on());
                    let all = failpoints::all();
                    let mut chosen = dice.split();
                    let mut left = ABORTS_A_TURN;
                    let take = || {
                        left = left.checked_sub(1)?;
                        goes_on().then(|| *chosen.one_of(&all))
                    };
                    aborted.add(failpoints::live(dice.split(), take));
                    let damages = damaged.damages + DAMAGES_A_TURN;
                    view_damage::live(dice.split(), &mut damaged, |seen, dice| {
                        (seen.damages < damages && goes_on()).then(|| view_damage::any(dice))
                    });
                    println!(
                        "torture: seed {seed}, arena {arena}, {} min: kills {}, failpoints {}, view damage {}",
                        started.elapsed().as_secs() / 60,
                        killed.counts(seed),
                        aborted.counts(seed),
                        damaged.counts(seed),
                    );
                }
            });
        }
    });
    println!("torture: seed {seed} ended after {} min, no violation", started.elapsed().as_secs() / 60);
}
