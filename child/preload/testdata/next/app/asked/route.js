// What Next tells an app about its client.
export function GET(request) {
  const named = (name) => [name, request.headers.get(name)];
  const names = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'];
  return Response.json(Object.fromEntries([['url', request.url], ...names.map(named)]));
}
