interface Wish {
  readonly type: string;
  readonly quality: number;
}

/**
 * Which of the media types an `Accept` header wants most. The first of them where it is absent, or wants none of them:
 * an answer in another form tells more than a refusal.
 */
export function wantedMediaType<Type extends string>(
  accept: string | undefined,
  types: readonly [Type, ...Type[]],
): Type {
  const wishes = (accept ?? '').split(',').map(wishOf);
  let best: { readonly type: Type; readonly quality: number } | undefined;
  for (const { type: named, quality } of wishes) {
    const type = types.find((known) => named === known || (known === types[0] && named === '*/*'));
    if (type !== undefined && quality > (best?.quality ?? 0)) best = { type, quality };
  }
  return best?.type ?? types[0];
}

function wishOf(text: string): Wish {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, quality: quality === undefined ? 1 : Number(quality) || 0 };
}
