//! What a follower is.

use serde::Serialize;
use serde::de::DeserializeOwned;

use samsyn_journal::Undecoded;
use samsyn_vocabulary::Partition;

/// Why a record can't be applied.
pub type ApplyError = Box<dyn std::error::Error + Send + Sync>;

/// Something that follows the log: a fold of its own, kept durably.
///
/// - It gets every durable record of the partitions it follows, those of a partition in their order. Between
///   partitions there is no order.
/// - A record may come before the view has it.
/// - An error, or a panic, undoes everything since the last commit; after a pause the same records come again.
///   So [`apply`](Follower::apply) must do nothing but change the state. What is to happen outside the process
///   belongs into [`committed`](Follower::committed), which may be called again for a state after a restart.
/// - Retention doesn't wait for it: records that it hasn't read may be removed. Then it goes on behind them, and
///   its status says what it missed.
pub trait Follower: Send + 'static {
    /// Its name: in status and metrics, and of its file. Lower-case letters, digits and hyphens.
    const NAME: &'static str;

    /// The version of what [`State`](Follower::State) means: raise it when the same records make another state.
    /// A state of an older version is rebuilt from the log.
    const STATE_VERSION: u16;

    /// What it keeps: plain data, written whole at each commit. A new field needs a default.
    type State: Default + Serialize + DeserializeOwned;

    /// Whether it wants the records of a partition.
    fn follows(partition: Partition) -> bool {
        let _ = partition;
        true
    }

    /// Takes one record into the state. One whose content was erased comes as well, and says so.
    fn apply(&mut self, state: &mut Self::State, record: &Undecoded<'_>) -> Result<(), ApplyError>;

    /// The state is durable, together with the cursor. Called after each commit, and first with what is found at
    /// the start.
    fn committed(&mut self, state: &Self::State) {
        let _ = state;
    }
}
