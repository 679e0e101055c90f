//! What people configure: the tenant, its connections, rules, templates and products.
