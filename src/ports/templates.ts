/** Handlebars templates of `templates/`, for what is not YAML (design §3). */
export interface TemplatesPort {
  /** Rejects when the template is missing or names a value that was not given. */
  render(name: string, values: Readonly<Record<string, unknown>>): Promise<string>;
  /** Text of a hand-kept Compose fragment of the package: `init/nvidia.yaml`. */
  fragment(path: string): Promise<string>;
}
