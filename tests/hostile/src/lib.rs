//! A plug-in that attacks the host. Which attack is its setting `attack`, so that one component
//! serves all tests; the manifest it is installed with says what it may ask for. What the host
//! makes of each is asserted in `tests/stories/hostile.rs` and told in docs/hostile.md.
//!
//! What Rust can't express (tables that grow, many instances, a component that takes long to
//! compile) is made by the stories themselves.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use samsyn_plugin::{
    Change, Effects, Error, Event, Observer, Profile, Settings, Subscriber, Timestamp, Value, log,
};

/// More effects than any host takes from one call.
const EFFECTS: u32 = 1_000_000;
/// More log lines than any host takes from one call.
const LOG_LINES: u32 = 10_000;
/// Bytes of a text that is much too long.
const LONG_BYTES: usize = 1 << 20;
/// Elements of a list that is much too long.
const LIST_ELEMENTS: usize = 1 << 20;
/// Properties of an event that has much too many.
const PROPERTIES: usize = 20_000;
/// How deep JSON is nested that nobody should read.
const NESTED: usize = 100_000;
/// Events that a multiplying plug-in emits for each one it hears.
const MULTIPLIED_BY: usize = 3;

thread_local! {
    // Lives as long as the instance's memory: a second customer must never find the first.
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}
static COUNTED: AtomicU64 = AtomicU64::new(0);

/// The plug-in.
pub struct Hostile;

impl Subscriber for Hostile {
    fn on_event(
        _: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let attack = settings.text("attack")?;
        let customer = profile.identifier("customer_id").unwrap_or("nobody");
        match attack.as_str() {
            "loop" => spin(),
            "slow-for-one" if customer == settings.text("victim")? => spin(),
            "memory" => fill_the_memory(),
            "stack" => {
                black_box(deeper(0));
            }
            "trap" => panic!("told to"),
            "returned" => return Err(Error::other("x".repeat(8 * LONG_BYTES))),
            "list" => drop(effects.set("hostile.list", Value::Texts(vec!["x".to_owned(); LIST_ELEMENTS]))),
            "properties" => many_properties(effects),
            "nested" => nest(effects),
            "log" => flood_the_log(),
            "effects" => {
                for number in 0..EFFECTS {
                    effects.set("hostile.note", number.to_string())?;
                }
            }
            "owned" => touch(effects, "quick.note"),
            "undeclared" => ask_for_what_is_not_declared(effects),
            "names" => pretend(effects),
            "multiply" => multiply(effects)?,
            "keep" => return keep(customer, effects),
            "start" => effects.set(&settings.text("field")?, "1")?,
            _ => {}
        }
        Ok(())
    }
}

/// Answers every change with a change: two of these never end by themselves.
impl Observer for Hostile {
    fn on_change(
        changes: &[Change],
        _: Timestamp,
        _: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let field = settings.text("field")?;
        let heard = changes.iter().find_map(|change| change.after.as_ref()?.as_text()?.parse::<u64>().ok());
        effects.set(&field, (heard.unwrap_or(0) + 1).to_string())?;
        Ok(())
    }
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

fn fill_the_memory() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(black_box(vec![1; LONG_BYTES]));
    }
}

/// Not a loop, whatever the optimiser would like: the array stands in memory at every depth.
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let kept = black_box([depth; 16]);
    if depth == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + black_box(kept)[3]
}

// Refusals are what these ask for, and they go on in spite of them.

fn touch(effects: &mut Effects, field: &str) {
    let _ = effects.set(field, "stolen");
    let _ = effects.clear(field);
    let _ = effects.refuse(field, "hostile.mine", "This is mine now.");
}

fn many_properties(effects: &mut Effects) {
    let names: Vec<String> = (0..PROPERTIES).map(|number| format!("p{number}")).collect();
    let _ = effects.emit("hostile.multiplied", names.iter().map(|name| (name.as_str(), Value::from(1))));
}

fn nest(effects: &mut Effects) {
    let json = "[".repeat(NESTED / 10) + &"]".repeat(NESTED / 10);
    let _ = effects.set("hostile.tree", Value::Json(json));
    let _ = effects.set("hostile.tree", Value::Json("{\"a\":".repeat(NESTED)));
}

fn flood_the_log() {
    let line = "a line of the flood ".repeat(100);
    for _ in 0..LOG_LINES {
        log::error(&line);
    }
}

fn ask_for_what_is_not_declared(effects: &mut Effects) {
    touch(effects, "hostile.undeclared");
    let _ = effects.emit("hostile.undeclared", []);
    let _ = effects.emit("samsyn.proposed", []);
    let _ = effects.emit("hostile.multiplied", [("undeclared", Value::from(1))]);
}

/// Names that look like others, and values that play tricks on whoever reads them.
fn pretend(effects: &mut Effects) {
    // The o is Cyrillic; the space has no width; the letters run backwards.
    for name in
        ["quick.n\u{43e}te", "quick.note\u{200b}", "\u{202e}eton.kciuq", "quick.note\0", "QUICK.NOTE", ""]
    {
        touch(effects, name);
    }
    touch(effects, &"quick.note".repeat(LONG_BYTES / 10));
    for text in ["\u{1b}[2J\u{1b}[1;1Hall is well", "a\0b", "\u{85}"] {
        let _ = effects.set("hostile.note", text);
    }
    let _ = effects.set("hostile.note", "x".repeat(LONG_BYTES));
    let _ = effects.refuse("hostile.note", "Not A Code\n", "\u{1b}]0;title\u{7}a message");
    let _ = effects.refuse_all("hostile.lies", "\u{1b}[31mred\u{202e} and backwards\r\nand longer: \u{7f}");
}

fn multiply(effects: &mut Effects) -> Result<(), Error> {
    for _ in 0..MULTIPLIED_BY {
        effects.emit("hostile.multiplied", [])?;
    }
    Ok(())
}

/// Tells how many customers it has seen before this one, by what it kept in a list, in a number and
/// in memory that it grew.
fn keep(customer: &str, effects: &mut Effects) -> Result<(), Error> {
    let listed = SEEN.with_borrow_mut(|seen| {
        // Beyond the arena, so that the instance's memory grows.
        seen.push(customer.repeat(LONG_BYTES / customer.len().max(1)));
        seen.len() - 1
    });
    let counted = COUNTED.fetch_add(1, Ordering::Relaxed);
    effects.set("hostile.note", format!("listed {listed}, counted {counted}"))?;
    Ok(())
}

samsyn_plugin::export!(Hostile: Subscriber, Observer);
