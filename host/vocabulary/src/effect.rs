//! What a handler asked for, what was refused of it, and how it can fail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndpointName, EventName, FieldName, Property, Value};

/// Which of a plug-in's roles an invocation calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It decides proposed values.
    Source,
    /// It receives events.
    Subscriber,
    /// It receives changed values.
    Observer,
    /// It is invoked when a timer of its own is due.
    Timed,
    /// It is invoked with the answer to a call of its own.
    Caller,
    /// It is invoked with a call of its own that is in doubt, and begins its look-up.
    Prober,
    /// It is invoked with the answer to a look-up, and says what it found.
    Judge,
}

impl Role {
    /// All of them, in the order they are called.
    pub const ALL: [Role; 7] = [
        Role::Source,
        Role::Subscriber,
        Role::Observer,
        Role::Timed,
        Role::Caller,
        Role::Prober,
        Role::Judge,
    ];

    /// The role's interface in the contract, and the one function in it that is invoked.
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Role::Source => ("source", "on-proposal"),
            Role::Subscriber => ("subscriber", "on-event"),
            Role::Observer => ("observer", "on-change"),
            Role::Timed => ("timed", "on-timer"),
            Role::Caller => ("caller", "on-answer"),
            Role::Prober => ("prober", "on-doubt"),
            Role::Judge => ("judge", "on-lookup"),
        }
    }

    /// The role's name in answers, and its interface in the contract.
    pub const fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The function of its interface that is invoked.
    pub const fn function(self) -> &'static str {
        self.entry().1
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing a handler asked for, already checked against what it declared.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Claim a value for a field, or with none that it has no value.
    Claim {
        /// A field the plug-in sources.
        field: FieldName,
        /// Of the field's type; none clears.
        value: Option<Value>,
    },
    /// Say no to one proposed field or to the whole invocation.
    Refuse {
        /// The proposed field; none for the whole invocation.
        field: Option<FieldName>,
        /// The plug-in's own code, such as `phone.country-unknown`.
        code: String,
        /// A sentence for the person who sent it.
        message: String,
    },
    /// Tell the other capabilities that something happened.
    Emit {
        /// An event the manifest emits.
        name: EventName,
        /// Of the declared types.
        properties: Vec<Property>,
    },
    /// Keep private bytes about this customer; none forgets them.
    Remember(Option<Vec<u8>>),
    /// Send a request to a system.
    Call(Box<NewCall>),
    /// Say what a look-up found.
    Finding(Finding),
    /// Anything else.
    Action(Action),
}

/// A request to a system, as a handler asked for it. Each part was checked when it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// Which of the plug-in's endpoints.
    pub endpoint: EndpointName,
    /// The method, in capitals.
    pub method: String,
    /// The path below the endpoint's base.
    pub path: String,
    /// The query, in its order, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers that a plug-in may set.
    pub headers: Vec<(String, String)>,
    /// The body; none: the request has none.
    pub body: Option<NewBody>,
    /// What comes back with the answer.
    pub note: Option<Vec<u8>>,
    /// It is a row, which the host sends with those of other customers.
    pub is_row: bool,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBody {
    /// Its media type.
    pub media_type: String,
    /// It.
    pub bytes: Vec<u8>,
}

/// What a look-up found of a call that was in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The system has it: the look-up's answer is its answer.
    Found,
    /// The system doesn't have it, and will not: it is sent again.
    Absent,
    /// The answer doesn't tell.
    Unknown,
}

/// How a call ended, as a handler hears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallAnswer {
    /// The system answered, and the answer is complete.
    Response {
        /// The status, 200 to 599.
        status: u16,
        /// Those that are handed on, names in lower case.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
        /// The body, as it came.
        #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::bytes")]
        body: Vec<u8>,
    },
    /// Nothing was sent, and nothing will be.
    NotSent {
        /// A stable word.
        code: String,
        /// A sentence.
        reason: String,
    },
    /// It isn't known whether the system has seen the request.
    Unknown {
        /// A stable word.
        code: String,
        /// A sentence.
        reason: String,
    },
}

/// An effect that is no claim, refusal, event, memory or call. The record, the replay, the timeline, the command
/// and the SDK's test host treat each kind of action alike, by its name, so a new kind needs no code there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The kind: the function of the contract that asked for it, as the contract's table of effects names it.
    pub name: String,
    /// What it is about. Of two actions of one kind about the same, in one invocation, the last counts.
    pub subject: String,
    /// What else it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Something that the host or a plug-in rejected. It is recorded: nothing is dropped in silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The field, if it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A code that stays the same from version to version.
    pub code: String,
    /// A sentence for a person.
    pub message: String,
}

/// The kind of failure of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The handler returned an error.
    Error,
    /// The plug-in trapped: a panic, an access out of bounds, a stack overflow.
    Trap,
    /// It took longer than its time limit.
    Timeout,
    /// It exceeded another limit, such as memory or calls of the host.
    Limit,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [FailureKind; 4] =
        [FailureKind::Error, FailureKind::Trap, FailureKind::Timeout, FailureKind::Limit];

    /// The kind's name in answers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::Error => "error",
            FailureKind::Trap => "trap",
            FailureKind::Timeout => "timeout",
            FailureKind::Limit => "limit",
        }
    }
}

/// Why an invocation failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The handler's message, the guest's panic message or the limit that was spent.
    pub message: String,
    /// Guest functions from the innermost out; empty when nothing trapped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
}

/// How serious a guest's log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For the plug-in's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth looking at.
    Warn,
    /// Went wrong.
    Error,
}

/// A line a guest logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How serious it is.
    pub level: LogLevel,
    /// At most 1 KiB.
    pub message: String,
}
