//! Samsyn: one profile of every customer, one source system for every data point.

pub mod vocabulary;
