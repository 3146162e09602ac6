//! The answers of docs/http.md about what capabilities refused.

use serde::Deserialize;

use samsyn_vocabulary::Position;

/// One refusal of an event.
#[derive(Debug, Clone, Deserialize)]
pub struct ListedRefusal {
    /// The event's id.
    pub event: String,
    /// Where the event stands.
    pub position: Position,
    /// Who sent it.
    #[serde(default)]
    pub application: Option<String>,
    /// Who refused.
    pub capability: String,
    /// The field it concerns; none when it concerns the event.
    #[serde(default)]
    pub field: Option<String>,
    /// A stable word.
    pub code: String,
    /// A sentence; none when the token may not see what plug-ins write.
    #[serde(default)]
    pub message: Option<String>,
    /// When it was refused.
    #[serde(default)]
    pub decided_at: Option<String>,
}

/// A page of them.
#[derive(Debug, Clone, Deserialize)]
pub struct RefusalPage {
    /// The items of the page.
    pub items: Vec<ListedRefusal>,
    /// Where the next page starts; absent on the last.
    #[serde(default)]
    pub next: Option<String>,
    /// For each partition: events up to this position are decided by every capability.
    pub decided: Vec<Position>,
    /// Whether the token may see every refusal.
    #[serde(default)]
    pub shows_all: bool,
}
