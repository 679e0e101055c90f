//! The plain kinds: things that a tenant owns and people create, each with a name that is unique among the tenant's. A line here is all
//! that the table needs to know of one. Kinds with more to say (shares, versions, optional unique values) implement
//! `Owned` themselves.

/// Expands a macro with the table of all plain kinds: their rows' kind and form, type, name for people, partition, prefix of their sort
/// keys, unique field with the kind of its claims, and whether they are cached with the configuration.
macro_rules! plain_kinds {
    ($then:ident) => {
        $then! {
            { "canned_reply", 1, domain::inbox::CannedReply, "canned reply", Configuration, "CANNED#", name: "canned", cached: false }
            { "segment", 1, domain::people::Segment, "segment", Configuration, "SEGMENT#", name: "segment", cached: false }
            { "stage", 1, domain::people::Stage, "stage", Configuration, "STAGE#", name: "stage", cached: false }
            { "tag", 1, domain::people::Tag, "tag", Configuration, "TAG#", name: "tag", cached: false }
            // Conversations get their teams by the configuration.
            { "team", 1, domain::tenants::Team, "team", Configuration, "TEAM#", name: "team", cached: true }
        }
    };
}

pub(crate) use plain_kinds;
