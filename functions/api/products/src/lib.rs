//! Products that a tenant sells. Messages name them by id or SKU.

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::Router;
use axum::extract::State;
use domain::media::MediaKind;
use domain::money::{Product, ProductIn};
use domain::terms::{AssetId, Fault, FaultCode, ProductId};
use kit::{ConfigError, Env, Problem};
use store::Versioned;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "products": "Products of a tenant, which messages can name." {
        /// Create a product
        ///
        /// Messages can use it at once: `{{product.<id or SKU>.name}}`, `price`, `url`, and the names of its own fields. A tenant has
        /// at most 10,000 products, and a product at most 32 KB. `image` names an asset that is a picture and `ready`.
        POST "/api/v1/products" => create_product, "The product";

        /// List products
        ///
        /// Oldest first.
        GET "/api/v1/products" => list_products, "A page of products";

        /// Get a product
        GET "/api/v1/products/{product_id}" => get_product, "The product";

        /// Update a product
        ///
        /// Messages that are already composed do not change. `variants` is replaced as a whole, `fields` is merged.
        PATCH "/api/v1/products/{product_id}" => update_product, "The updated product";

        /// Delete a product
        ///
        /// Messages that name it leave its values empty or use their defaults. Its SKU is free again.
        DELETE "/api/v1/products/{product_id}" => delete_product, "The product is deleted";
    }
}

type Reading = Allowed<permits::ProductsRead>;
type Writing = Allowed<permits::ProductsWrite>;

async fn create_product(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<ProductIn>,
) -> Result<Created<Product>, Problem> {
    check(&api, &who, fields.image).await?;
    api.create(&who, "/api/v1/products", fields).await
}

async fn list_products(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Product>, Problem> {
    api.list(&who, &paging).await
}

async fn get_product(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<ProductId>,
) -> Result<Tagged<Product>, Problem> {
    api.read(&who, &id).await
}

async fn update_product(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ProductId>,
    if_match: IfMatch,
    patch: Patch<ProductIn>,
) -> Result<Tagged<Product>, Problem> {
    let (api, who) = (&api, &who);
    // A picture that was deleted meanwhile prevents no other change.
    let allow = |before: Product, after: Product| async move {
        if after.image == before.image {
            return Ok(());
        }
        check(api, who, after.image).await
    };
    api.update_if(who, &id, &if_match, &patch, allow).await
}

/// Refuses a picture that does not exist, or is none.
async fn check(api: &Api, who: &Writing, image: Option<AssetId>) -> Result<(), Problem> {
    let Some(id) = image else { return Ok(()) };
    let Some(Versioned { value: asset, .. }) = api.store().asset(who.scope(), id).await? else {
        let fault = Fault::new(FaultCode::NotFound, format!("There is no asset with the id {id}."));
        return Err(Problem::field("image", fault.and("id", id.to_string())));
    };
    let usable = asset.usable(MediaKind::Image);
    usable.map_err(|refusal| {
        let detail = format!("It cannot be the picture: {}.", refusal.sentence);
        Problem::field("image", Fault::new(FaultCode::Invalid, detail))
    })
}

async fn delete_product(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ProductId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Product, _>(&who, &id, &if_match).await
}
