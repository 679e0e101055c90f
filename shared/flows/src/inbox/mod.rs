//! The shared inbox of a tenant: whoever attends to a conversation next.

mod assign;

pub use assign::{Assigning, assign_by_teams, assign_to_team, note_for_team, pass_to_team};
