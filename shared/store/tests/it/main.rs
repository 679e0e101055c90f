//! The table's promises, against the emulator.

mod budget;
mod config;
mod due;
mod effects;
mod leaving;
mod limited;
mod operations;
mod owned;
mod people;
mod reads;
mod retention;
mod rows;
mod world;
