//! The caller of a request, and what of an answer it may see.
//!
//! What a token's `profiles:read` lists is shown; beyond it:
//!
//! - An event is shown to the application that sent it, and to a token that reads everything. Its properties
//!   are in no answer.
//! - A profile's id is shown to a token that may read profiles and see every identifier that led to it: else
//!   it would tell which identifiers belong to one customer.
//! - A claim is shown to a token that may read the field, and only when it became the visible value. Other
//!   claims are for administrators and for the scope `admin:read`.
//! - A list about many customers (the audit of reads, the silo report) names them only to a token
//!   that reads everything. An auditor learns what was read and by which application, not of which customer.
//! - The result of a proposal is shown to its sender, its value only to a token that may read the field.
//! - What a plug-in writes in its own words (messages, reasons, names of events it emits) may
//!   repeat anything it knows of a customer: only a token that reads everything sees it. Codes are for all.
//!   But the message of a rejected proposal is written for its sender, who sees it.

use std::sync::Arc;

use super::authenticate::AuthenticatedToken;
use super::problem::{Answer, Kind, Problem};
use samsyn_contract::RefusalCode;
use samsyn_journal::{Accepted, Decided, Outcome};
use samsyn_registry::{Policy, Registry, ScopeName};
use samsyn_vocabulary::{Application, Event, FieldName, Refusal, Timestamp, TokenName};

/// The caller: there on every request that has a valid token. Cheap to clone.
#[derive(Clone)]
pub struct Viewer {
    application: Application,
    token: Arc<AuthenticatedToken>,
}

impl Viewer {
    /// Somebody with this token who acts for this application.
    pub fn new(token: Arc<AuthenticatedToken>, application: Application) -> Viewer {
        Viewer { application, token }
    }

    /// What they may see and do.
    pub fn policy(&self) -> &Policy {
        &self.token.policy
    }

    /// Their token's name.
    pub fn token_name(&self) -> &TokenName {
        &self.token.name
    }

    /// The application that it acts for.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// The token's own application.
    pub fn own_application(&self) -> &Application {
        &self.token.entry.application
    }

    /// Counts events against the token's rate.
    pub fn take_events(&self, count: usize, now: Timestamp) -> Answer<()> {
        self.token.take_events(count, now)
    }

    /// The fields of the dictionary that they may read; none when it is all of them.
    pub fn narrowed_to(&self, registry: &Registry) -> Option<Vec<FieldName>> {
        let reads = |name: &&FieldName| self.policy().reads(name.as_str());
        (!self.policy().reads_everything()).then(|| registry.fields.keys().filter(reads).cloned().collect())
    }

    /// Whether the application they act for sent this event.
    pub fn sent(&self, event: &Event) -> bool {
        event.application.as_ref() == Some(&self.application)
    }

    /// Whether they may see that there is this event, and what it is called.
    pub fn sees_event(&self, event: &Event) -> bool {
        self.sent(event) || self.policy().reads_everything()
    }

    /// Whether they may know whose this event is.
    pub fn sees_owner(&self, accepted: &Accepted) -> bool {
        let mut names = accepted.identifiers.iter().map(|identifier| identifier.name.as_str());
        self.policy().reads_profiles() && names.all(|name| self.policy().sees_identifier(name))
    }

    /// Whether they may see that a field was proposed with an event, which is their own or not.
    pub fn sees_proposal(&self, field: &str, own: bool) -> bool {
        self.policy().reads(field) || (own && self.policy().proposes(field))
    }

    /// Whether they may see a capability's claim in a decision.
    pub fn sees_claim(&self, decided: &Decided, outcome: &Outcome, field: &FieldName) -> bool {
        let became_visible = || {
            decided.changes.iter().any(|changed| changed.by == outcome.capability && changed.field == *field)
        };
        self.policy().reads_every_claim() || (self.policy().reads(field.as_str()) && became_visible())
    }

    /// Whether they may see that a plug-in said no, and its code.
    pub fn sees_refusal(&self, refusal: &Refusal, own: bool) -> bool {
        match &refusal.field {
            _ if self.policy().reads_everything() => true,
            Some(field) => self.sees_proposal(field, own),
            None => own && RefusalCode::tells_sender(&refusal.code),
        }
    }

    /// Whether they may read the sentence of a refusal that they see: of a field, or with none of an
    /// event as a whole, which is their own or not. A token that may propose a field reads why its source
    /// rejected its proposal.
    pub fn sees_message(&self, field: Option<&str>, code: &str, own: bool) -> bool {
        let is_theirs = match field {
            Some(field) => self.policy().proposes(field),
            None => RefusalCode::tells_sender(code),
        };
        self.sees_words() || (own && is_theirs)
    }

    /// Whether they may see what plug-ins write in their own words.
    pub fn sees_words(&self) -> bool {
        self.policy().reads_everything()
    }

    /// Whether a list about many customers names them.
    pub fn names_customers(&self) -> bool {
        self.policy().reads_everything()
    }

    /// Refuses, unless the token may read all that administrators read.
    pub fn check_admin_read(&self, what: &str) -> Answer<()> {
        if self.policy().has(ScopeName::AdminRead) {
            return Ok(());
        }
        let (one, other) = (ScopeName::Admin, ScopeName::AdminRead);
        Err(Problem::new(Kind::ScopeMissing, format!("{what} needs the scope `{one}` or `{other}`")))
    }

    /// What only administrators may ask for.
    pub fn check_admin(&self, what: &str) -> Answer<()> {
        if self.policy().is_admin() {
            return Ok(());
        }
        Err(Problem::new(Kind::ScopeMissing, format!("{what} needs the scope `{}`", ScopeName::Admin)))
    }
}
