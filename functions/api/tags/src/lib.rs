//! Tags, the words that sort a tenant's contacts.

use domain::people::{Tag, TagIn};
use domain::terms::TagId;

api::plain! {
    Tag, TagIn, TagId, TagsRead, TagsWrite;
    "tags": "Tags of a tenant, by which it sorts its contacts." {
        /// Create a tag
        ///
        /// Names are compared without regard to case and spelling in Unicode. A tenant has at most 1,000 tags.
        POST "/api/v1/tags" => create_tag, "The tag";

        /// List tags
        ///
        /// Oldest first.
        GET "/api/v1/tags" => list_tags, "A page of tags";

        /// Get a tag
        GET "/api/v1/tags/{tag_id}" => get_tag, "The tag";

        /// Update a tag
        PATCH "/api/v1/tags/{tag_id}" => update_tag, "The updated tag";

        /// Delete a tag
        ///
        /// Its name is free again.
        DELETE "/api/v1/tags/{tag_id}" => delete_tag, "The tag is deleted";
    }
}
