//! What the host tells about itself in numbers.
//!
//! | file | what it does |
//! |---|---|
//! | `latency` | histograms of time that many threads count in |
//! | `way` | where an event waited on its way through the host |
//! | `exposition` | metrics as text that Prometheus reads |
//!
//! It must not know who counts, or what for.

mod exposition;
mod latency;
pub mod way;

pub use exposition::MetricsText;
pub use latency::{LATENCY_BEYOND_US, LATENCY_BOUNDS_US, Latency, LatencySnapshot};
