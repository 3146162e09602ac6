//! What will be sent and when: every event of the demo in order of its own time.
//!
//! Events lie as text in one allocation, because a hundred thousand of them as JSON trees would be
//! most of the memory that the demo measures at its end.

use serde_json::Value;

/// The senders of events. Their order is the order in which events of one moment are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// The web site: registrations and what customers change about themselves.
    Web,
    /// The shop: orders and what becomes of them.
    Shop,
    /// The service that sends mail.
    MailGateway,
    /// The service that sends and receives text messages.
    SmsGateway,
}

impl Sender {
    /// All of them, in the order they are sent.
    pub const ALL: [Sender; 4] = [Sender::Web, Sender::Shop, Sender::MailGateway, Sender::SmsGateway];

    /// The application's name, as `Samsyn-Application` carries it.
    pub fn application(self) -> &'static str {
        match self {
            Sender::Web => "web",
            Sender::Shop => "shop",
            Sender::MailGateway => "mail-gateway",
            Sender::SmsGateway => "sms-gateway",
        }
    }
}

/// Seconds since 1970, UTC.
pub type Seconds = i64;

/// One event: its time, its sender, and the place of its text.
#[derive(Debug, Clone, Copy)]
struct Cue {
    at: Seconds,
    sender: Sender,
    start: usize,
    end: usize,
}

/// All events of a demo.
#[derive(Debug, Default)]
pub struct Script {
    text: String,
    cues: Vec<Cue>,
}

impl Script {
    /// Adds an event. `at` is the event's own time.
    pub fn add(&mut self, at: Seconds, sender: Sender, event: &Value) {
        let start = self.text.len();
        self.text.push_str(&event.to_string());
        self.cues.push(Cue { at, sender, start, end: self.text.len() });
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.cues.len()
    }

    /// Puts the events in order of time and cuts them into spans of at most `seconds` each.
    /// Spans without an event are left out.
    pub fn spans(&mut self, seconds: Seconds) -> Vec<Span<'_>> {
        // Stable: events of one moment and sender keep the order they were added in.
        self.cues.sort_by_key(|cue| (cue.at, cue.sender));
        let first = self.cues.first().map_or(0, |cue| cue.at);
        let number = |cue: &Cue| (cue.at - first) / seconds.max(1);
        self.cues
            .chunk_by(|one, other| number(one) == number(other))
            .map(|cues| Span { text: &self.text, cues })
            .collect()
    }
}

/// The events of a span of time.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    text: &'a str,
    cues: &'a [Cue],
}

impl<'a> Span<'a> {
    /// What this one sends, in order of time, as JSON text.
    pub fn of(&self, sender: Sender) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = self.text;
        let own = self.cues.iter().filter(move |cue| cue.sender == sender);
        own.map(move |cue| &text[cue.start..cue.end])
    }

    /// Whether this one sends anything.
    pub fn has(&self, sender: Sender) -> bool {
        self.cues.iter().any(|cue| cue.sender == sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_hold_everything_once_in_order_of_time() {
        let mut script = Script::default();
        for (at, sender) in
            [(50, Sender::Shop), (10, Sender::MailGateway), (10, Sender::Web), (100, Sender::Web)]
        {
            script.add(at, sender, &json!(at));
        }
        assert_eq!(script.len(), 4);
        let spans = script.spans(45);
        let of = |span: usize, sender| spans[span].of(sender).collect::<Vec<_>>();
        assert_eq!(spans.len(), 2, "the span from 55 to 99 has no event");
        assert_eq!(of(0, Sender::Web), ["10"]);
        assert_eq!(of(0, Sender::MailGateway), ["10"]);
        assert_eq!(of(0, Sender::Shop), ["50"]);
        assert_eq!(of(1, Sender::Web), ["100"]);
        assert!(!spans[1].has(Sender::Shop));
    }
}
