//! Maps whose keys the host makes itself, or an admin granted: profile ids, partitions, positions,
//! fields and patterns of claims. Nobody outside can choose keys that collide, so these need no hash
//! that withstands it, and are looked up several times an event.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxBuildHasher;

/// A map by a key of the host's own making.
pub type QuickMap<K, V> = HashMap<K, V, FxBuildHasher>;

/// A set of such keys.
pub type QuickSet<K> = HashSet<K, FxBuildHasher>;
