/** The pages of a list. Nothing is asked for before somebody looks. */
export type Pages<Page> = AsyncIterable<Page> & {
  /** The page that the request names: the first, or the one of its `pageToken`. */
  first(): Promise<Page>;
};

/** What every list's request and answer have. */
export type PageRequest = { readonly pageToken?: string };
export type PageAnswer = { readonly nextPageToken: string };

/**
 * Turns a call that answers with one page into all pages, from the one that the request names on.
 * Each page is a call of its own, made when it is asked for.
 */
export function pagesOf<Request extends PageRequest, Page extends PageAnswer>(
  request: Request,
  ask: (request: Request) => Promise<Page>,
): Pages<Page> {
  return {
    first: () => ask(request),
    async *[Symbol.asyncIterator]() {
      for (let next = request; ; ) {
        const page = await ask(next);
        yield page;
        const { nextPageToken: pageToken } = page;
        if (pageToken === "") return;
        if (pageToken === next.pageToken) throw new Error("the page after this one is itself");
        next = { ...request, pageToken };
      }
    },
  };
}

/** All that the pages hold in the field `name`, one by one. */
export async function* itemsOf<Name extends string, Page extends Lists<Name>>(
  pages: AsyncIterable<Page>,
  name: Name,
): AsyncGenerator<Page[Name][number], void, undefined> {
  for await (const page of pages) {
    yield* page[name] as readonly Awaited<Page[Name][number]>[];
  }
}

type Lists<Name extends string> = { readonly [name in Name]: readonly unknown[] };
