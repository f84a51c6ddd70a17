/**
 * The settings of the upstreams: where they are, and as whom the relay speaks to them. A part of the table in config.ts.
 *
 * @module
 */
import { row } from "./config_setting.ts";
import * as value from "./config_value.ts";
import { chatGptDefaults } from "./provider/chatgpt_settings.ts";
import { copilotDefaults } from "./provider/copilot_settings.ts";
import { grokDefaults } from "./provider/grok_settings.ts";

/** The rows. */
export const upstreamSettings = Object.freeze({
  openaiIssuerUrl: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_ISSUER_URL",
    toml: "upstream.openai.issuer_url",
    value: value.baseUrl(),
    fallback: chatGptDefaults.issuerUrl,
    description: "Authorization server.",
  }),
  openaiApiUrl: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_API_URL",
    toml: "upstream.openai.api_url",
    value: value.baseUrl(),
    fallback: chatGptDefaults.apiUrl,
    description: "Base of the API; /codex/responses is appended.",
  }),
  openaiClientId: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_CLIENT_ID",
    envAliases: ["AUTH_AI_OPENAI_CODEX_CLIENT_ID"],
    toml: "upstream.openai.client_id",
    value: value.plainText(200),
    fallback: chatGptDefaults.clientId,
    description: "OAuth client id.",
  }),
  openaiClientVersion: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_CLIENT_VERSION",
    toml: "upstream.openai.client_version",
    value: value.plainText(64),
    fallback: chatGptDefaults.clientVersion,
    description: "Client version that is reported; the model list hides models that ask for a newer one.",
  }),
  xaiIssuerUrl: row({
    group: "Grok",
    env: "AUTH_AI_XAI_ISSUER_URL",
    toml: "upstream.xai.issuer_url",
    value: value.baseUrl(),
    fallback: grokDefaults.issuerUrl,
    description: "OIDC issuer; its discovery document is read.",
  }),
  xaiApiUrl: row({
    group: "Grok",
    env: "AUTH_AI_XAI_API_URL",
    toml: "upstream.xai.api_url",
    value: value.baseUrl(),
    fallback: grokDefaults.apiUrl,
    description:
      "Base of the API. The default bills the subscription; https://api.x.ai/v1 bills API credits.",
  }),
  xaiClientId: row({
    group: "Grok",
    env: "AUTH_AI_XAI_CLIENT_ID",
    toml: "upstream.xai.client_id",
    value: value.plainText(200),
    fallback: grokDefaults.clientId,
    description: "OAuth client id.",
  }),
  xaiClientVersion: row({
    group: "Grok",
    env: "AUTH_AI_XAI_CLIENT_VERSION",
    toml: "upstream.xai.client_version",
    value: value.plainText(64),
    fallback: grokDefaults.clientVersion,
    description: "Client version that is reported; the subscription's API refuses old ones.",
  }),
  xaiSendCliHeaders: row<"auto" | "always" | "never">({
    group: "Grok",
    env: "AUTH_AI_XAI_SEND_CLI_HEADERS",
    toml: "upstream.xai.send_cli_headers",
    value: value.oneOf(["auto", "always", "never"]),
    fallback: grokDefaults.sendCliHeaders,
    description:
      "Whether calls carry the headers of xAI's command line client; auto: everywhere but on api.x.ai.",
  }),
  githubUrl: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_URL",
    toml: "upstream.github.url",
    value: value.baseUrl(),
    fallback: copilotDefaults.githubUrl,
    description: "GitHub's web site, where people sign in.",
  }),
  githubApiUrl: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_API_URL",
    toml: "upstream.github.api_url",
    value: value.baseUrl(),
    fallback: copilotDefaults.githubApiUrl,
    description: "GitHub's REST API.",
  }),
  githubClientId: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_CLIENT_ID",
    toml: "upstream.github.client_id",
    value: value.plainText(200),
    fallback: copilotDefaults.clientId,
    description: "OAuth client id.",
  }),
  copilotApiUrl: row<string | null>({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_API_URL",
    toml: "upstream.github.copilot_api_url",
    value: value.baseUrl(),
    fallback: copilotDefaults.copilotApiUrl,
    description:
      "Base of the Copilot API for every account; without it, the one that each account's token names.",
  }),
  copilotEditorVersion: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_EDITOR_VERSION",
    toml: "upstream.github.copilot_editor_version",
    value: value.plainText(64),
    fallback: copilotDefaults.editorVersion,
    description: "Editor and version that are reported.",
  }),
  copilotPluginVersion: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_PLUGIN_VERSION",
    toml: "upstream.github.copilot_plugin_version",
    value: value.plainText(64),
    fallback: copilotDefaults.editorPluginVersion,
    description: "Editor plugin and version that are reported.",
  }),
  copilotIntegrationId: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_INTEGRATION_ID",
    toml: "upstream.github.copilot_integration_id",
    value: value.plainText(64),
    fallback: copilotDefaults.integrationId,
    description: "Integration that is reported; it selects the models on offer.",
  }),
});
