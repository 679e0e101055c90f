//! The five operations of a resource without special rules.

/// Lists the operations of a resource, its routes and its handlers: create, list, read, update and delete, in this order. The head names
/// the resource, its fields, its id and the permissions to read and to write.
///
/// ```ignore
/// api::plain! {
///     Thing, ThingIn, ThingId, ThingsRead, ThingsWrite;
///     "things": "Things of a tenant." {
///         /// Create a thing
///         POST "/api/v1/things" => create_thing, "The thing";
///         /// List things
///         GET "/api/v1/things" => list_things, "A page of things";
///         /// Get a thing
///         GET "/api/v1/things/{thing_id}" => get_thing, "The thing";
///         /// Update a thing
///         PATCH "/api/v1/things/{thing_id}" => update_thing, "The updated thing";
///         /// Delete a thing
///         DELETE "/api/v1/things/{thing_id}" => delete_thing, "The thing is deleted";
///     }
/// }
/// ```
#[macro_export]
macro_rules! plain {
    (
        $whole:ty, $fields:ty, $id:ty, $reads:ident, $writes:ident;
        $tag:literal: $group:literal {
            $(#[doc = $creates:literal])+
            POST $list:literal => $create:ident, $created:literal;
            $(#[doc = $lists:literal])+
            GET $_list:literal => $all:ident, $page:literal;
            $(#[doc = $gets:literal])+
            GET $one:literal => $get:ident, $found:literal;
            $(#[doc = $updates:literal])+
            PATCH $_one:literal => $update:ident, $updated:literal;
            $(#[doc = $deletes:literal])+
            DELETE $__one:literal => $delete:ident, $deleted:literal;
        }
    ) => {
        kit::function!(serve_http, routes);

        /// Routes of the function.
        pub fn routes(env: &$crate::Env) -> Result<$crate::Router, $crate::ConfigError> {
            Ok($crate::serve(operations(), $crate::Api::new(env)?))
        }

        $crate::operations! {
            $tag: $group {
                $(#[doc = $creates])+
                POST $list => $create, $created;
                $(#[doc = $lists])+
                GET $_list => $all, $page;
                $(#[doc = $gets])+
                GET $one => $get, $found;
                $(#[doc = $updates])+
                PATCH $_one => $update, $updated;
                $(#[doc = $deletes])+
                DELETE $__one => $delete, $deleted;
            }
        }

        type Reading = $crate::Allowed<$crate::permits::$reads>;
        type Writing = $crate::Allowed<$crate::permits::$writes>;

        async fn $create(
            who: Writing,
            $crate::State(api): $crate::State<$crate::Api>,
            $crate::Body(fields): $crate::Body<$fields>,
        ) -> Result<$crate::Created<$whole>, $crate::Problem> {
            api.create(&who, $list, fields).await
        }

        async fn $all(
            who: Reading,
            $crate::State(api): $crate::State<$crate::Api>,
            paging: $crate::Paging,
        ) -> Result<$crate::Listed<$whole>, $crate::Problem> {
            api.list(&who, &paging).await
        }

        async fn $get(
            who: Reading,
            $crate::State(api): $crate::State<$crate::Api>,
            $crate::Path(id): $crate::Path<$id>,
        ) -> Result<$crate::Tagged<$whole>, $crate::Problem> {
            api.read(&who, &id).await
        }

        async fn $update(
            who: Writing,
            $crate::State(api): $crate::State<$crate::Api>,
            $crate::Path(id): $crate::Path<$id>,
            if_match: $crate::IfMatch,
            patch: $crate::Patch<$fields>,
        ) -> Result<$crate::Tagged<$whole>, $crate::Problem> {
            api.update(&who, &id, &if_match, &patch).await
        }

        async fn $delete(
            who: Writing,
            $crate::State(api): $crate::State<$crate::Api>,
            $crate::Path(id): $crate::Path<$id>,
            if_match: $crate::IfMatch,
        ) -> Result<$crate::NoContent, $crate::Problem> {
            api.remove::<$whole, _>(&who, &id, &if_match).await
        }
    };
}
