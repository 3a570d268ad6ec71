//! Compiles the markup and bundles the translations into the crate.

fn main() {
    let configuration = slint_build::CompilerConfiguration::new()
        .with_bundled_translations("../../i18n")
        // The words alone are the key: the same words need one translation, wherever they stand.
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles);
    slint_build::compile_with_config("ui/kiosk.slint", configuration).expect("the markup compiles");
}
