// It reads what was asked, so it is rendered for each request.
export default async function Page({ searchParams }) {
  const { name } = await searchParams;
  return <p>Hello {name}</p>;
}
