import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** The stack whose API the development server uses. */
const stack = process.env.RINGBACK_URL ?? "http://127.0.0.1:4570";

/** Lets the page begin with `app/early.ts`, in itself, since a request would take as long as what it asks for. The function allows it by its hash. */
const early: Plugin = {
  name: "early",
  transformIndexHtml: {
    order: "post",
    handler(_, { bundle }) {
      // The development server bundles nothing, and its pages ask later.
      if (!bundle) return;
      const chunk = Object.values(bundle).find(({ name }) => name === "early");
      if (chunk?.type !== "chunk") throw new Error("the build has no early.ts");
      delete bundle[chunk.fileName];
      return [{ tag: "script", attrs: { type: "module" }, children: chunk.code.trim(), injectTo: "head-prepend" }];
    },
  },
};

/** What lists of calls, messages and conversations consist of, and say. */
const LISTS = /\/app\/(phones\/phones|ui\/(Badge|Customer|Empty|Filters|List|MessageState|Pages|Phone|Search|direction)|screens\/(calls\/(Outcome|decision)|contacts\/(search|tags)|inbox\/(Signs|Window|conversation|team|[Kk]eys|snooze|bulk)|messages\/(sent|templates|text)))\.(ts|svelte)$/;
/** What only forms and questions consist of. */
const FORMS = /\/app\/(api\/(held|once|operations|pages|upload)|ui\/(Choices|Confirm|English|Fold|OutLink|Outlook|Question|QuietHours|Remarks|Select|TextField|TextPreview|draft\.svelte|filled|price|sms|tab)|screens\/inbox\/composer\/canned)\.(ts|svelte)$/;

export default defineConfig({
  base: "/app/",
  plugins: [svelte(), early],
  build: {
    target: ["chrome125", "firefox142", "safari26"],
    // One small file of styles in the head: nothing is painted twice.
    cssCodeSplit: false,
    // The policy forbids data: URLs of fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: "index.html", early: "app/early.ts", worker: "app/worker.ts" },
      // What every page needs is one file (texts to customers are large, and on few pages), what lists consist of and say of calls, messages and conversations is one, what forms and
      // questions consist of is one, what forms of connections add is one, and a screen another: many small files cost more in requests than they save in bytes.
      // What draws QR codes comes with the only screen that does, and so do icons, but for one that several draw.
      // The address of the worker stays, by which browsers know whether it is another one.
      output: { entryFileNames: ({ name }) => (name === "worker" ? "worker.js" : "assets/[name]-[hash].js"), codeSplitting: { groups: [
        { name: "shared", test: (id) => /\/app\/((api|ui(?!\/Texts)|words)\/.*|push\/noted|main|App|routes)\.(ts|svelte)$|node_modules(?!\/(uqr|@lucide\/svelte\/dist\/icons\/(?!circle-dashed)))/.test(id) && !LISTS.test(id) && !FORMS.test(id) },
        { name: "said", test: LISTS },
        { name: "forms", test: FORMS },
        { name: "connecting", test: /\/app\/(numbers\/.*|places\/.*|screens\/(setup\/(setup|Step|Connect|Connected)|settings\/(kinds|Made|Secrets|TestResult|Health|Test)))\.(ts|svelte)$/ },
      ] } },
    },
  },
  server: {
    // The local stack admits this origin, for uploads.
    port: 5173,
    strictPort: true,
    proxy: { "/api": { target: stack, changeOrigin: true } },
  },
});
