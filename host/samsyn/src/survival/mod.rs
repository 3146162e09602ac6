//! Tests of the whole data directory against a hostile disk, below HTTP: what rots, and what a power
//! cut leaves. The log's own are beside it; the real command's are in `tests/`.

mod followers;
mod power_cuts;
mod rot;
