//! What the query of a call holds: each query is one type, which the host reads strictly, and from which
//! `/openapi.json` is generated. The documentation of a member is the description of the parameter.
//!
//! | file | queries about |
//! |---|---|
//! | this one | lists; changes with a reason, and those that can be tried first |
//! | `event` | what was rejected of events |
//! | `profile` | customers, and what capabilities say of them |
//! | `registry` | the registry as a file and as a graph |
//! | `capability` | plug-ins, their grants and their replays |
//! | `endpoint` | the systems that capabilities call |
//! | `waiting` | invocations that wait, and timers |
//! | `audit` | who read and who changed what |
//! | `secret` | secrets |
//! | `host` | what the host keeps |

mod audit;
mod capability;
mod endpoint;
mod event;
mod host;
mod profile;
mod registry;
mod secret;
mod waiting;

use samsyn_vocabulary::Reason;
use schemars::JsonSchema;
use serde::Deserialize;

pub use audit::{ChangesParams, ReadsParams};
pub use capability::{
    ApproveParams, InstallFrom, InstallParams, RejectParams, RemoveParams, ReplayParams, ShowReplayParams,
};
pub use endpoint::{ChangeParams, PauseParams, TestMethod, TestParams};
pub use event::RefusalParams;
pub use host::RetainParams;
pub use profile::{ClaimsParams, ProfileParams, ReferenceForm};
pub use registry::{ApplyParams, GraphFormat, GraphParams, PlanParams};
pub use secret::{RetireParams, SetParams};
pub use waiting::{
    CallParams, CallState, ParkedParams, RetryCallParams, SettleParams, SettledAs, TimerParams,
};

/// Items of the largest page: some hundred kilobytes of timeline.
pub const LIMIT_MAX: usize = 1_000;

/// The query of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}

/// The query of a call that changes the registry.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Why {
    /// The reason of the change. It is kept: don't write a customer's data into it.
    pub reason: Option<Reason>,
}

/// The query of a change of the registry that can be tried first.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DryRun {
    /// Only check the request, and answer what would change.
    pub dry_run: bool,
    /// The reason of the change.
    pub reason: Option<Reason>,
}
