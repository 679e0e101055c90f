//! The table's promises, against the emulator.

mod arrivals;
mod budget;
mod caps;
mod config;
mod consent;
mod due;
mod effects;
mod happenings;
mod leaving;
mod limited;
mod listed;
mod media;
mod members;
mod merges;
mod notices;
mod operations;
mod owned;
mod people;
mod preferences;
mod reads;
mod retention;
mod rows;
mod stored;
mod templates;
mod throughput;
mod world;
