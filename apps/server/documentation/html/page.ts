import type { OpenApiDocument, Operation, Parameter, Response } from '#libs/http';
import { anchor, code, escape, prose } from './markup.js';
import { fieldsOf, limitsOf, typeOf } from './schema.js';
import { style } from './style.js';

/** An OpenAPI document as one HTML page that needs nothing else. */
export function documentPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const sections = tags.map((tag) => section(document, tag));
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `<section id="${anchor(name)}"><h3>${escape(name)}</h3>${fieldsOf(schema) || typeOf(schema)}</section>`,
  );
  const contents = [...tags.map(({ name }) => name), 'Schemas'];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)} API</title>
<style>${style}</style>
</head>
<body>
<nav><ul>${contents.map((name) => `<li><a href="#${anchor(name)}">${escape(name)}</a></li>`).join('')}</ul></nav>
<main>
<h1>${escape(info.title)} API ${escape(info.version)}</h1>
<p>${prose(info.description)}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a>, <a href="/asyncapi.json">asyncapi.json</a></p>
${sections.join('\n')}
<h2 id="Schemas">Schemas</h2>
${schemas.join('\n')}
</main>
</body>
</html>
`;
}

function section({ paths }: OpenApiDocument, { name, description }: OpenApiDocument['tags'][number]): string {
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod)
      .filter(([, { tags }]) => tags.includes(name))
      .map(([method, operation]) => operationSection(method, path, operation)),
  );
  return `<h2 id="${anchor(name)}">${escape(name)}</h2><p>${prose(description)}</p>${operations.join('\n')}`;
}

function operationSection(method: string, path: string, operation: Operation): string {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  return [
    `<section id="${anchor(operationId)}">`,
    `<h3>${escape(summary)}</h3>`,
    `<p class="route"><b>${method.toUpperCase()}</b> ${code(path)}</p>`,
    description === undefined ? '' : `<p>${prose(description)}</p>`,
    ...security.flatMap(({ apiKey }) => apiKey.map((scope) => `<p>Scope: ${code(scope)}</p>`)),
    parameters === undefined ? '' : `<h4>Parameters</h4><table>${parameters.map(parameterRow).join('')}</table>`,
    requestBody === undefined ? '' : `<h4>Body</h4>${content(requestBody.content)}`,
    `<h4>Answers</h4><table>${Object.entries(responses).map(responseRow).join('')}</table>`,
    '</section>',
  ].join('');
}

function parameterRow({ name, in: place, required, schema, description }: Parameter): string {
  const presence = required ? place : `${place}, optional`;
  return `<tr><th>${code(name)} <small>${presence}</small></th><td>${typeOf(schema)}${limitsOf(schema)}<div>${prose(description)}</div></td></tr>`;
}

function responseRow([status, { description, headers = {}, content: body }]: [string, Response]): string {
  const told = Object.entries(headers).map(
    ([name, header]) => `<div>${code(name)}: ${prose(header.description)}</div>`,
  );
  return `<tr><th>${status}</th><td><div>${prose(description)}</div>${body ? content(body) : ''}${told.join('')}</td></tr>`;
}

function content(byMediaType: NonNullable<Response['content']>): string {
  return Object.entries(byMediaType)
    .map(([mediaType, { schema, example }]) => {
      const shown = example === undefined ? '' : `<pre>${escape(JSON.stringify(example, null, 2))}</pre>`;
      return `<div>${code(mediaType)} ${schema ? typeOf(schema) + fieldsOf(schema) : 'any bytes'}</div>${shown}`;
    })
    .join('');
}
